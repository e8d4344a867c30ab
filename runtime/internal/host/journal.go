package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/nodespec"
)

// journal is a cluster's record, open for changes, and what its neighbours (the
// clusters beside it in the data directory) have on record. Clusters share
// lo and the upper cgroups: what several have on record stays until the
// last of them is restored.
type journal struct {
	path       string
	own        record
	present    bool
	neighbours []neighbour
	unlock     func() error
}

type neighbour struct {
	cluster string
	record  record
}

const (
	lockLimit = 30 * time.Second
	lockPoll  = 20 * time.Millisecond
)

// openJournal excludes the neighbours until close.
func openJournal(ctx context.Context, spec *nodespec.NodeSpec) (opened *journal, err error) {
	here, err := emptyRecordHere()
	if err != nil {
		return nil, err
	}
	data := filepath.Dir(spec.Cluster.Directory)
	unlock, err := lockDirectory(ctx, data)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unlock())
		}
	}()
	opened = &journal{path: spec.HostRecord(), unlock: unlock}
	if opened.own, opened.present, err = readRecord(opened.path, here); err != nil {
		return nil, err
	}
	opened.neighbours, err = readNeighbours(data, opened.path, here)
	return opened, err
}

func readNeighbours(data, own string, here record) ([]neighbour, error) {
	paths, err := filepath.Glob(filepath.Join(data, "*", filepath.Base(own)))
	if err != nil {
		return nil, fmt.Errorf("host records of other clusters: %w", err)
	}
	var found []neighbour
	for _, path := range paths {
		if path == own {
			continue
		}
		// A record that can not be read must not keep this cluster from being restored:
		// its cluster reports it.
		if read, present, err := readRecord(path, here); err == nil && present {
			found = append(found, neighbour{cluster: filepath.Base(filepath.Dir(path)), record: read})
		}
	}
	return found, nil
}

func (j *journal) close() error { return j.unlock() }

// has says whether a change is on record already.
func (j *journal) has(wanted change) bool {
	_, found := j.own.find(wanted)
	return found
}

// sharer returns a neighbour that has the same change on record.
func (j *journal) sharer(wanted change) (cluster string, recorded change, found bool) {
	for _, neighbour := range j.neighbours {
		if recorded, found := neighbour.record.find(wanted); found {
			return neighbour.cluster, recorded, true
		}
	}
	return "", change{}, false
}

// note puts changes that are about to be made on record.
func (j *journal) note(changes ...change) error {
	changes = slices.DeleteFunc(slices.Clone(changes), j.has)
	if len(changes) == 0 && j.present {
		return nil
	}
	j.own.Changes = append(j.own.Changes, changes...)
	if err := j.own.write(j.path); err != nil {
		return err
	}
	j.present = true
	return nil
}

// join puts a change on record that a neighbour has made before, so that the one
// that is restored last undoes it. It says whether there is such a neighbour.
func (j *journal) join(wanted change) (bool, error) {
	_, recorded, found := j.sharer(wanted)
	if !found {
		return false, nil
	}
	return true, j.note(recorded)
}

// lockDirectory takes an exclusive flock(2) on a directory: no lock file is left in
// it, and the lock ends with the process.
func lockDirectory(ctx context.Context, path string) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockLimit, errors.New("another cluster is being set up or restored"))
	defer cancel()
	directory, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	for {
		err := unix.Flock(int(directory.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return directory.Close, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock the data directory %s: %w", path, err), directory.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock the data directory %s: %w", path, context.Cause(ctx)), directory.Close())
		case <-time.After(lockPoll):
		}
	}
}
