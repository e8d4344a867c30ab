package imagedirectory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// brought is a file that is in the node, and what it brought.
type brought struct {
	stamp
	// Images are full names.
	Images []string `json:"images"`
}

// record remembers the files that need not be read again.
type record struct {
	path string // empty: it is not kept

	mu        sync.Mutex
	Directory string             `json:"directory"`
	Files     map[string]brought `json:"files"`
}

// newRecord is one that is forgotten at the end.
func newRecord() *record { return &record{Files: map[string]brought{}} }

// openRecord reads the record of a directory. One of another directory, or that can not be
// read, is as good as none: files are then read once more.
func openRecord(path, directory string) *record {
	found := newRecord()
	document, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(document, found)
	}
	if err != nil || found.Directory != directory || found.Files == nil {
		found = newRecord()
	}
	found.path, found.Directory = path, directory
	return found
}

// forgetMissing forgets each file of whose images the node lacks one.
func (r *record) forgetMissing(held map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, file := range r.Files {
		if slices.ContainsFunc(file.Images, func(image string) bool { return !held[image] }) {
			delete(r.Files, name)
		}
	}
}

// has says whether a file is in the node as it is now.
func (r *record) has(f file) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, found := r.Files[f.name]
	return found && known.equal(f.stamp)
}

// images is how many the files of the record brought.
func (r *record) images() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := map[string]bool{}
	for _, file := range r.Files {
		for _, image := range file.Images {
			names[image] = true
		}
	}
	return len(names)
}

// keep forgets the files that are gone from the directory.
func (r *record) keep(files []file) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.Files)
	for name := range r.Files {
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == name }) {
			delete(r.Files, name)
		}
	}
	if len(r.Files) == before {
		return nil
	}
	return r.write()
}

// add remembers a file.
func (r *record) add(f file, images []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Files[f.name] = brought{stamp: f.stamp, Images: images}
	return r.write()
}

func (r *record) write() error {
	if r.path == "" {
		return nil
	}
	document, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the record of imported files: %w", err)
	}
	next := r.path + ".next"
	if err := os.WriteFile(next, append(document, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the record of imported files: %w", err)
	}
	if err := os.Rename(next, r.path); err != nil {
		return errors.Join(fmt.Errorf("replace the record of imported files: %w", err), removeIfThere(next))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
