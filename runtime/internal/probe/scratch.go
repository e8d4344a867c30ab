package probe

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// leftoverPrefix begins the name of everything the probe makes outside its own
	// namespaces, so that a later probe can tell what a killed one left.
	leftoverPrefix = "sandkube-probe-"
	scratchPrefix  = "." + leftoverPrefix
	// leftoverAge is how old a thing must be before another probe takes it for left
	// over: between being made and being locked it belongs to a probe at work.
	leftoverAge = 10 * time.Second
)

// scratch is the one directory in which a probe works.
type scratch struct {
	path string
	// existing is the data directory, or the nearest directory above that exists.
	existing string
	// dataErrno names the error that kept the directory off the data directory's file
	// system; empty when there was none.
	dataErrno string
	// lock marks the directory as in use.
	lock *os.File
}

// makeScratch makes a directory on the file system of the data directory, which need
// not exist: its nearest existing parent is used then. Where that cannot be written
// to, the directory is made in the temporary directory, and failing that not at all.
func makeScratch(data string) scratch {
	s := scratch{existing: nearestExisting(data)}
	removeLeftovers(s.existing)
	var err error
	if s.path, err = os.MkdirTemp(s.existing, scratchPrefix); err != nil {
		s.dataErrno = errnoName(err)
		removeLeftovers(os.TempDir())
		if s.path, err = os.MkdirTemp("", scratchPrefix); err != nil {
			s.path = ""
			return s
		}
	}
	if directory, err := os.Open(s.path); err == nil {
		s.lock = directory
		_ = unix.Flock(int(directory.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	return s
}

func (s scratch) remove() {
	if s.lock != nil {
		defer s.lock.Close()
	}
	if s.path != "" {
		_ = os.RemoveAll(s.path)
	}
}

// removeLeftovers removes the scratch directories of probes that were killed.
func removeLeftovers(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), scratchPrefix) || !entry.IsDir() {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		directory, err := os.Open(path)
		if err != nil {
			continue
		}
		if isLeftover(directory) {
			_ = os.RemoveAll(path)
		}
		directory.Close()
	}
}

func isLeftover(directory *os.File) bool {
	info, err := directory.Stat()
	if err != nil || time.Since(info.ModTime()) < leftoverAge {
		return false
	}
	return unix.Flock(int(directory.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// nearestExisting is path, or the nearest directory above it that exists.
func nearestExisting(path string) string {
	for {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
		parent := filepath.Dir(path)
		if parent == path {
			return path
		}
		path = parent
	}
}
