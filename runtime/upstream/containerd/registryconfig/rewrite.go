package registryconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// rewritesFile lies beside a registry's hosts.toml, which has no word for it.
const rewritesFile = "rewrites.json"

// Rewrites say what the mirrors of a registry call its repositories.
type Rewrites []rule

// rule is a regular expression, and what takes the place of its matches: $1 is the first group.
type rule struct {
	pattern     *regexp.Regexp
	replacement string
}

// newRewrites puts the rules into the order of their expressions' text: registries.yaml has none.
func newRewrites(rules map[string]string) (Rewrites, error) {
	var made Rewrites
	for _, text := range slices.Sorted(maps.Keys(rules)) {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no regular expression: %w", text, err)
		}
		made = append(made, rule{pattern: pattern, replacement: rules[text]})
	}
	return made, nil
}

// Apply gives the mirrors' name of a repository, by the first rule that changes it.
func (r Rewrites) Apply(repository string) string {
	for _, rule := range r {
		if changed := rule.pattern.ReplaceAllString(repository, rule.replacement); changed != repository {
			return changed
		}
	}
	return repository
}

func writeRewrites(directory string, rules map[string]string) error {
	if len(rules) == 0 {
		return nil
	}
	text, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, rewritesFile), text, 0o600)
}

// ReadRewrites reads what WriteHosts has written for the registry of a directory.
func ReadRewrites(directory string) (Rewrites, error) {
	path := filepath.Join(directory, rewritesFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rules map[string]string
	if err := json.Unmarshal(text, &rules); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	made, err := newRewrites(rules)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return made, nil
}
