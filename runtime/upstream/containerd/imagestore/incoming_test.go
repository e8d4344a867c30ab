package imagestore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

// counted is containerd's content store; it counts what comes through its API.
type counted struct {
	content.Store
	bytes int
	// beforeWriter is called before a writer is opened.
	beforeWriter func()
}

func (c *counted) Writer(ctx context.Context, options ...content.WriterOpt) (content.Writer, error) {
	c.beforeWriter()
	writer, err := c.Store.Writer(ctx, options...)
	if err != nil {
		return nil, err
	}
	return countedWriter{writer, c}, nil
}

type countedWriter struct {
	content.Writer
	store *counted
}

func (w countedWriter) Write(p []byte) (int, error) {
	w.store.bytes += len(p)
	return w.Writer.Write(p)
}

const testLease = "lease"

// incomingInto makes a content store with its metadata, and the way into it.
func incomingInto(t *testing.T, directory string) (context.Context, *incoming, *counted) {
	t.Helper()
	root := filepath.Join(directory, "content")
	blobs, err := local.NewStore(root)
	if err != nil {
		t.Fatal(err)
	}
	file, err := bolt.Open(filepath.Join(directory, "meta.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	db := metadata.NewDB(file, blobs, nil)
	ctx := Context(t.Context())
	if err := db.Init(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := metadata.NewLeaseManager(db).Create(ctx, leases.WithID(testLease)); err != nil {
		t.Fatal(err)
	}
	store := &counted{Store: db.ContentStore(), beforeWriter: func() {}}
	return leases.WithLease(ctx, testLease), &incoming{Store: store, root: root}, store
}

func blobOf(size int) ([]byte, ocispec.Descriptor) {
	data := bytes.Repeat([]byte("sandkube"), size/8)
	return data, ocispec.Descriptor{Digest: digest.FromBytes(data), Size: int64(len(data))}
}

func TestIncoming(t *testing.T) {
	for name, test := range map[string]struct {
		size int
		// collected: the blob is taken for garbage before it is known.
		collected bool
		// hidden: the content store is not seen.
		hidden bool
		// throughAPI is how much is to be written to containerd.
		throughAPI int
	}{
		"a large blob is moved into the content store":          {size: 4 << 20},
		"a small one is written by the API":                     {size: 4 << 10, throughAPI: 4 << 10},
		"what was taken for garbage is written by the API":      {size: 4 << 20, collected: true, throughAPI: 4 << 20},
		"where the store is not seen all is written by the API": {size: 4 << 20, hidden: true, throughAPI: 4 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store, api := incomingInto(t, t.TempDir())
			data, descriptor := blobOf(test.size)
			if test.collected {
				place := filepath.Join(store.root, "blobs", "sha256", descriptor.Digest.Encoded())
				api.beforeWriter = func() { _ = os.Remove(place) }
			}
			if test.hidden {
				store.root = ""
			}
			if err := content.WriteBlob(ctx, store, "ref", bytes.NewReader(data), descriptor); err != nil {
				t.Fatal(err)
			}
			if api.bytes != test.throughAPI {
				t.Errorf("%d bytes came through the API, want %d", api.bytes, test.throughAPI)
			}
			if err := store.sync(); err != nil {
				t.Error(err)
			}
			if err := store.release(testLease); err != nil {
				t.Error(err)
			}
			found, err := content.ReadBlob(ctx, store, descriptor)
			if err != nil || !bytes.Equal(found, data) {
				t.Errorf("the content store has %d bytes, want %d: %v", len(found), len(data), err)
			}
		})
	}
}

func TestIncomingRefuses(t *testing.T) {
	ctx, store, _ := incomingInto(t, t.TempDir())
	data, descriptor := blobOf(4 << 20)
	for name, wrong := range map[string]ocispec.Descriptor{
		"another digest": {Digest: digest.FromString("other"), Size: descriptor.Size},
		"another size":   {Digest: descriptor.Digest, Size: descriptor.Size - 8},
	} {
		err := content.WriteBlob(ctx, store, "ref", bytes.NewReader(data), wrong)
		if !errdefs.IsFailedPrecondition(err) {
			t.Errorf("%s: %v, want a failed precondition", name, err)
		}
	}
	if _, err := store.Info(ctx, descriptor.Digest); !errdefs.IsNotFound(err) {
		t.Errorf("the blob: %v, want it not to be found", err)
	}
	left, err := store.leases()
	if err != nil || len(left) != 1 || left[0] != testLease {
		t.Errorf("leases with unfinished blobs: %q, %v; want %q", left, err, testLease)
	}
	if err := store.release(testLease); err != nil {
		t.Fatal(err)
	}
	if left, err := store.leases(); err != nil || len(left) != 0 {
		t.Errorf("leases with unfinished blobs after the release: %q, %v", left, err)
	}
}

func TestIncomingKeepsFewFilesOpen(t *testing.T) {
	store := &incoming{}
	for range 3 * unsyncedLimit {
		file, err := os.CreateTemp(t.TempDir(), "blob-")
		if err != nil {
			t.Fatal(err)
		}
		if err := store.syncLater(file); err != nil {
			t.Fatal(err)
		}
		if open := len(store.unsynced); open >= unsyncedLimit {
			t.Fatalf("%d files are open, want less than %d", open, unsyncedLimit)
		}
	}
}
