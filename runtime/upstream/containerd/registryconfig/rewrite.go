package registryconfig

import (
	"fmt"
	"regexp"
	"strings"
)

// all are the expressions for every repository as a whole.
var all = regexp.MustCompile(`^\^?\(\.[*+]\)\$?$`)

// prefixed is a replacement that puts a path in front of the repository.
var prefixed = regexp.MustCompile(`^([a-z0-9._/-]+)/(?:\$1|\$\{1\})$`)

// repositoryPrefix is the path that rewrites put in front of every repository; empty: none.
// containerd knows no other rewriting: its hosts.toml has one path for all repositories
// of an endpoint (k3s patches it for more).
func repositoryPrefix(rewrites map[string]string) (string, error) {
	if len(rewrites) > 1 {
		return "", fmt.Errorf("has %d rules; possible is one that puts a path in front of every repository, such as \"^(.*)$\": \"proxy/$1\"", len(rewrites))
	}
	for pattern, replacement := range rewrites {
		match := prefixed.FindStringSubmatch(replacement)
		if !all.MatchString(pattern) || match == nil {
			return "", fmt.Errorf("%q: %q is not possible; possible is a rule that puts a path in front of every repository, such as \"^(.*)$\": \"proxy/$1\"", pattern, replacement)
		}
		return strings.Trim(match[1], "/"), nil
	}
	return "", nil
}
