package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// vanishPoll is how often the cluster's directory is looked for.
const vanishPoll = 2 * time.Second

// remains is what is needed to put the sandbox back as it was, even when the
// cluster's directory has been removed under the running cluster.
type remains struct {
	directory string
	info      os.FileInfo
	// files are contents by path.
	files map[string][]byte
}

// rememberRemains is called when the sandbox has been changed.
func rememberRemains(file *specFile) (remains, error) {
	r := remains{directory: file.spec.Cluster.Directory, files: make(map[string][]byte)}
	var err error
	if r.info, err = os.Stat(r.directory); err != nil {
		return remains{}, err
	}
	for _, path := range []string{file.path, file.spec.HostRecord()} {
		content, err := os.ReadFile(path)
		if err == nil {
			r.files[path] = content
		} else if !errors.Is(err, fs.ErrNotExist) {
			return remains{}, err
		}
	}
	return r, nil
}

// presence says what is found at the path of the cluster's directory.
type presence int

const (
	present presence = iota
	absent
	// replaced: another cluster has been made at the same path.
	replaced
)

func (r remains) presence() presence {
	if r.info == nil {
		// The start has failed before anything was remembered.
		return present
	}
	info, err := os.Stat(r.directory)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent
	case err == nil && !os.SameFile(info, r.info):
		return replaced
	}
	return present
}

// vanished returns a channel that is closed when the cluster's directory is gone.
func (r remains) vanished(ctx context.Context) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		ticks := time.NewTicker(vanishPoll)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				if r.presence() != present {
					close(gone)
					return
				}
			}
		}
	}()
	return gone
}

// restore calls hostRestore with the files that it reads in place. If they have
// vanished, they are written for that time only.
func (r remains) restore(hostRestore func() error) (err error) {
	switch r.presence() {
	case present:
		return hostRestore()
	case replaced:
		// The record at this path is the other cluster's.
		return nil
	}
	if err := os.MkdirAll(r.directory, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.directory)) }()
	for path, content := range r.files {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return hostRestore()
}
