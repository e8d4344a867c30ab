// Package sysctl gives a container stand-ins for kernel settings of its pod that the
// sandbox's kernel does not have: files below /proc/sys with the values that were asked for.
// They change nothing but what is read there.
//
// A spec can not have mounts inside /proc (runc's checkProcMount), and a file can not be made
// in procfs. So the stand-ins lie in a directory of the container's bundle, and a hook of the
// container binds that directory, with the real files of the same place in it, over the one
// in the container's procfs.
package sysctl

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// procSys is where a kernel shows its settings.
const procSys = "/proc/sys"

// directory holds the stand-ins, in a bundle.
const directory = "sysctls"

// path is where a setting lies below /proc/sys: both dots and slashes separate its parts,
// by whichever comes first (sysctl(8)).
func path(name string) (string, error) {
	separator := strings.IndexAny(name, "./")
	relative := name
	if separator >= 0 && name[separator] == '.' {
		relative = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	if !filepath.IsLocal(relative) || filepath.Clean(relative) != relative || filepath.Dir(relative) == "." {
		return "", fmt.Errorf("%q names no kernel setting", name)
	}
	return relative, nil
}

// Missing returns those of a pod's settings that the kernel does not have.
func Missing(settings map[string]string) (map[string]string, error) {
	missing := make(map[string]string)
	for name, value := range settings {
		relative, err := path(name)
		if err != nil {
			return nil, err
		}
		_, err = os.Stat(filepath.Join(procSys, relative))
		if errors.Is(err, fs.ErrNotExist) {
			missing[name] = value
		} else if err != nil {
			return nil, fmt.Errorf("kernel setting %s: %w", name, err)
		}
	}
	return missing, nil
}

// Prepare writes the stand-ins into a bundle.
func Prepare(bundle string, settings map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		relative, err := path(name)
		if err != nil {
			return err
		}
		file := filepath.Join(bundle, directory, relative)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("stand-in for %s: %w", name, err)
		}
		if err := os.WriteFile(file, []byte(settings[name]+"\n"), 0o644); err != nil {
			return fmt.Errorf("stand-in for %s: %w", name, err)
		}
	}
	return nil
}
