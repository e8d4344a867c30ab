package ociadapter

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const specFile = "config.json"

// editBundle rewrites the spec of a bundle in place.
func editBundle(bundle string, settings Settings) error {
	bundle, err := filepath.Abs(bundle)
	if err != nil {
		return fmt.Errorf("path of the bundle: %w", err)
	}
	// Not the link that the adapter was started by: that lies in the cluster's directory, which a
	// container in a user namespace can not look into.
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("path of runc: %w", err)
	}
	around := surroundings{isDirectory: isDirectory, bundle: bundle, program: program}
	return editFile(filepath.Join(bundle, specFile), "container spec", func(before []byte) ([]byte, error) {
		return editSpec(before, settings, around)
	})
}

// editProcessFile rewrites the specification of a further process of a container in place.
func editProcessFile(path string, settings Settings) error {
	return editFile(path, "process specification", func(before []byte) ([]byte, error) {
		return editProcess(before, settings)
	})
}

// editFile replaces a file's content by rename(2), so that no one ever reads half of it.
// A file that needs no edit is not touched.
func editFile(path, what string, edit func(before []byte) ([]byte, error)) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	after, err := edit(before)
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, path, err)
	}
	if bytes.Equal(before, after) {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	temporary := path + ".sandkube"
	if err := os.WriteFile(temporary, after, info.Mode().Perm()); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", what, err), os.Remove(temporary))
	}
	return nil
}

// isDirectory looks at the node's own procfs and sysfs: those that runc mounts in
// the container come from the same kernel and hold the same names.
func isDirectory(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}
