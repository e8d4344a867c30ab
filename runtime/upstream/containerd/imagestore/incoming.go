package imagestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/opencontainers/go-digest"
)

const (
	// incomingName is the directory beside containerd's content store, in the same file
	// system, that has a directory for each lease.
	incomingName = "sandkube.incoming"
	// incomingBytes is from which size on a blob is written there.
	incomingBytes = 1 << 20
	// unsyncedLimit is how many blobs may wait: each is an open file.
	unsyncedLimit = 128
)

// incoming is containerd's content store, into which large blobs do not come through its API:
// by that, two processes copy each byte several times, in frames of 16 KiB that cost system
// calls and wake-ups, which are dear in a sandbox. They are written to a directory beside it,
// checked, moved to their place, and only made known by the API. It is for one goroutine.
type incoming struct {
	content.Store
	// root is where containerd has its blobs; "": it does not say, or it is not seen from here.
	root string
	// unsynced are blobs that may not have reached the disk.
	unsynced []*os.File
}

func newIncoming(ctx context.Context, c *client.Client) *incoming {
	return &incoming{Store: c.ContentStore(), root: contentRoot(ctx, c)}
}

// contentRoot asks containerd where its content store is.
func contentRoot(ctx context.Context, c *client.Client) string {
	response, err := c.IntrospectionService().Plugins(ctx, "type=="+string(plugins.ContentPlugin))
	if err != nil {
		return ""
	}
	for _, one := range response.Plugins {
		root := one.Exports["root"]
		if info, err := os.Stat(root); err == nil && info.IsDir() {
			return root
		}
	}
	return ""
}

// directory is the place of all leases' blobs.
func (s *incoming) directory() string { return filepath.Join(filepath.Dir(s.root), incomingName) }

// Writer implements content.Ingester.
func (s *incoming) Writer(ctx context.Context, options ...content.WriterOpt) (content.Writer, error) {
	var given content.WriterOpts
	for _, option := range options {
		if err := option(&given); err != nil {
			return nil, err
		}
	}
	lease, leased := leases.FromContext(ctx)
	isSmall := given.Desc.Size > 0 && given.Desc.Size < incomingBytes
	if s.root == "" || !leased || isSmall || s.has(ctx, given.Desc.Digest) {
		return s.Store.Writer(ctx, options...)
	}
	directory := filepath.Join(s.directory(), lease)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	return newBlobFile(s, directory, given)
}

func (s *incoming) has(ctx context.Context, of digest.Digest) bool {
	if of == "" {
		return false
	}
	_, err := s.Info(ctx, of)
	return err == nil
}

// syncLater keeps a blob's file for the next sync.
func (s *incoming) syncLater(file *os.File) error {
	s.unsynced = append(s.unsynced, file)
	if len(s.unsynced) < unsyncedLimit {
		return nil
	}
	return s.sync()
}

// sync returns when all blobs have reached the disk.
func (s *incoming) sync() error {
	var failed error
	for _, file := range s.unsynced {
		failed = errors.Join(failed, file.Sync(), file.Close())
	}
	s.unsynced = nil
	return failed
}

// leases are those that have a directory.
func (s *incoming) leases() ([]string, error) {
	if s.root == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(s.directory())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for unfinished blobs: %w", err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// release ends the work under a lease.
func (s *incoming) release(lease string) error {
	for _, file := range s.unsynced {
		_ = file.Close()
	}
	s.unsynced = nil
	return s.clear(lease)
}

// clear removes what a lease has not finished.
func (s *incoming) clear(lease string) error {
	if s.root == "" {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(s.directory(), lease)); err != nil {
		return fmt.Errorf("remove unfinished blobs: %w", err)
	}
	return nil
}
