package ociadapter

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sandkube.dev/runtime/internal/nodespec"
)

const specFile = "config.json"

// editBundle rewrites the spec of a bundle in place, by rename(2) so that no one
// ever reads half of it. A spec that needs no edit is not touched.
func editBundle(bundle string, settings nodespec.OCI) error {
	path := filepath.Join(bundle, specFile)
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("container spec: %w", err)
	}
	after, err := editSpec(before, settings, isDirectory)
	if err != nil {
		return fmt.Errorf("container spec %s: %w", path, err)
	}
	if bytes.Equal(before, after) {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("container spec: %w", err)
	}
	temporary := path + ".sandkube"
	if err := os.WriteFile(temporary, after, info.Mode().Perm()); err != nil {
		return fmt.Errorf("write container spec: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("write container spec: %w", err), os.Remove(temporary))
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
