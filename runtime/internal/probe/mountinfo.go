package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mountEntry is a line of /proc/self/mountinfo, see proc(5).
type mountEntry struct {
	point      string
	filesystem string
	options    []string
	shared     bool
}

// readMounts lists the mounts of this process's namespace, later ones over earlier.
func readMounts() ([]mountEntry, error) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mounts: %w", err)
	}
	return parseMounts(string(content)), nil
}

func parseMounts(content string) []mountEntry {
	var mounts []mountEntry
	for line := range strings.Lines(content) {
		left, right, found := strings.Cut(line, " - ")
		fields, tail := strings.Fields(left), strings.Fields(right)
		if !found || len(fields) < 6 || len(tail) < 1 {
			continue
		}
		entry := mountEntry{point: unescapeMount(fields[4]), filesystem: tail[0]}
		for _, optional := range fields[6:] {
			entry.shared = entry.shared || strings.HasPrefix(optional, "shared:")
		}
		if len(tail) > 2 {
			entry.options = strings.Split(tail[2], ",")
		}
		mounts = append(mounts, entry)
	}
	return mounts
}

// unescapeMount undoes the octal escapes of mountinfo.
func unescapeMount(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// mountAt is the topmost mount at exactly this point; nil when there is none.
func mountAt(mounts []mountEntry, point string) *mountEntry {
	for i := len(mounts) - 1; i >= 0; i-- {
		if mounts[i].point == point {
			return &mounts[i]
		}
	}
	return nil
}

// mountOf is the mount that a path lies on; nil when none is known.
func mountOf(mounts []mountEntry, path string) *mountEntry {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	for {
		if found := mountAt(mounts, path); found != nil {
			return found
		}
		parent := filepath.Dir(path)
		if parent == path {
			return nil
		}
		path = parent
	}
}
