package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// volumeMode lets the user that a container runs as write, whoever it is.
const volumeMode = 0o777

// directories holds the directory of each volume below one directory. All is done by
// os.Root: no symbolic link, whoever has made it, leads out.
type directories struct {
	path string
}

// make makes the directory of a volume, if it is not there yet, and returns its path.
func (d directories) make(name string) (string, error) {
	// Pods have their volumes mounted: nobody but root needs to come by here. What is
	// above is the cluster's: where it has been removed, it is not to be made again.
	if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := root.Lstat(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.path, name)
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a directory", path)
	}
	// The mode that a directory is made with is cut by the process's umask.
	if err := root.Chmod(name, volumeMode); err != nil {
		return "", err
	}
	return path, nil
}

// remove removes the directory of a volume with all that is in it. One that is not
// there has been removed. Paths that make does not return for that volume are refused.
func (d directories) remove(path, volume string) error {
	parent, name := filepath.Split(path)
	if filepath.Clean(parent) != filepath.Clean(d.path) || !strings.HasPrefix(name, volume+"_") {
		return fmt.Errorf("%s is not the directory of %s below %s", path, volume, d.path)
	}
	root, err := os.OpenRoot(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return root.RemoveAll(name)
}
