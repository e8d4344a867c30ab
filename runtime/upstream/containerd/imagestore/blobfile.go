package imagestore

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// blobFile writes a blob beside containerd's.
type blobFile struct {
	store   *incoming
	file    *os.File
	hashed  digest.Digester
	bytes   int64
	given   content.WriterOpts
	started time.Time
}

func newBlobFile(store *incoming, directory string, given content.WriterOpts) (*blobFile, error) {
	file, err := os.CreateTemp(directory, "blob-")
	if err != nil {
		return nil, err
	}
	return &blobFile{store: store, file: file, hashed: digest.Canonical.Digester(), given: given, started: time.Now()}, nil
}

// Write implements io.Writer.
func (b *blobFile) Write(p []byte) (int, error) {
	n, err := b.file.Write(p)
	_, _ = b.hashed.Hash().Write(p[:n])
	b.bytes += int64(n)
	return n, err
}

// Digest implements content.Writer.
func (b *blobFile) Digest() digest.Digest { return b.hashed.Digest() }

// Status implements content.Writer.
func (b *blobFile) Status() (content.Status, error) {
	return content.Status{
		Ref: b.given.Ref, Offset: b.bytes, Total: b.given.Desc.Size, Expected: b.given.Desc.Digest,
		StartedAt: b.started, UpdatedAt: time.Now(),
	}, nil
}

// Truncate implements content.Writer; what is read here is read once.
func (b *blobFile) Truncate(int64) error { return errdefs.ErrNotImplemented }

// Commit checks the blob, moves it into the content store and makes it known there.
func (b *blobFile) Commit(ctx context.Context, size int64, expected digest.Digest, options ...content.Opt) error {
	blob := ocispec.Descriptor{Digest: b.Digest(), Size: b.bytes}
	if size > 0 && size != blob.Size {
		return fmt.Errorf("%d bytes where %d are announced: %w", blob.Size, size, errdefs.ErrFailedPrecondition)
	}
	if expected != "" && expected != blob.Digest {
		return fmt.Errorf("digest %s where %s is announced: %w", blob.Digest, expected, errdefs.ErrFailedPrecondition)
	}
	// The write-out begins while the blob is used already; images get their names after it.
	_ = unix.SyncFileRange(int(b.file.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	if err := b.move(blob.Digest); err != nil {
		return err
	}
	// A blob that is in its place is not read. It is when containerd's collection of garbage
	// was faster.
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := content.WriteBlob(ctx, b.store.Store, b.given.Ref, b.file, blob, options...); err != nil {
		return err
	}
	file := b.file
	b.file = nil
	return b.store.syncLater(file)
}

// move brings the file to where containerd has a blob of this digest.
func (b *blobFile) move(of digest.Digest) error {
	place := filepath.Join(b.store.root, "blobs", of.Algorithm().String(), of.Encoded())
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	if err := b.file.Chmod(0o444); err != nil {
		return err
	}
	return os.Rename(b.file.Name(), place)
}

// Close implements io.Closer.
func (b *blobFile) Close() error {
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}
