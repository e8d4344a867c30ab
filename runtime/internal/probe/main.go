package probe

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	exitOK       = 0
	exitInternal = 1
	exitUsage    = 2

	defaultTimeout = 2 * time.Second
)

// Report is the document that the probe prints. Its JSON Schema is
// protocol/facts.schema.json.
type Report struct {
	Schema int               `json:"schema"`
	System System            `json:"system"`
	Facts  map[string]Result `json:"facts"`
}

// Main is the verb `probe [--data DIR] [--timeout 2s] [--only ID,ID]`: it tries every
// fact and prints one Report as JSON on stdout. It returns the exit code: 0 also when
// every fact says no, 1 when the report could not be made, 2 for wrong arguments.
func Main(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("probe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	data := flags.String("data", defaultDataDirectory(), "the data `directory`; need not exist")
	limit := flags.Duration("timeout", defaultTimeout, "time limit of each fact")
	only := flags.String("only", "", "try only these facts, a comma-separated list of `ids`")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitUsage
	}
	if flags.NArg() > 0 || *limit <= 0 {
		fmt.Fprintln(stderr, "usage: probe [--data DIR] [--timeout 2s] [--only ID,ID]")
		return exitUsage
	}
	chosen, err := choose(families(), *only)
	if err != nil {
		fmt.Fprintln(stderr, "probe:", err)
		return exitUsage
	}
	report, err := run(chosen, *data, *limit)
	if err != nil {
		fmt.Fprintln(stderr, "probe:", err)
		return exitInternal
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(report); err != nil {
		fmt.Fprintln(stderr, "probe: write the report:", err)
		return exitInternal
	}
	return exitOK
}

// run tries the chosen facts and reads the system section beside them.
func run(chosen []family, data string, limit time.Duration) (Report, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return Report{}, fmt.Errorf("resolve the data directory: %w", err)
	}
	scratch := makeScratch(data)
	defer scratch.remove()

	system := make(chan System, 1)
	go func() { system <- readSystem(scratch.existing) }()

	facts := supervise(chosen, scratch, limit)
	report := Report{Schema: 1, Facts: facts}
	select {
	case report.System = <-system:
	case <-time.After(limit):
		return report, fmt.Errorf("reading the system's sizes and file systems took more than %s", limit)
	}
	return report, nil
}

// choose keeps the facts named in the comma-separated list; all when it is empty.
func choose(all []family, only string) ([]family, error) {
	if only == "" {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, id := range strings.Split(only, ",") {
		wanted[strings.TrimSpace(id)] = true
	}
	var chosen []family
	for _, f := range all {
		var kept []fact
		for _, candidate := range f.facts {
			if wanted[candidate.id] {
				kept = append(kept, candidate)
				delete(wanted, candidate.id)
			}
		}
		if len(kept) > 0 {
			f.facts = kept
			chosen = append(chosen, f)
		}
	}
	for id := range wanted {
		return nil, fmt.Errorf("there is no fact %q", id)
	}
	return chosen, nil
}

// defaultDataDirectory is where the data directory lies unless told otherwise.
func defaultDataDirectory() string {
	if directory := os.Getenv("SANDKUBE_DATA"); directory != "" {
		return directory
	}
	if os.Getuid() == 0 {
		return "/var/lib/sandkube"
	}
	if directory := os.Getenv("XDG_DATA_HOME"); directory != "" {
		return filepath.Join(directory, "sandkube")
	}
	return filepath.Join(os.Getenv("HOME"), ".local/share/sandkube")
}
