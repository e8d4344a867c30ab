package imagestore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"sandkube.dev/upstream/containerd/refusal"
)

// large is a layer that is left for later.
var large = strings.Repeat("x", documentLimit+1)

// withLargeLayer is an archive whose large layer comes first.
func withLargeLayer(t *testing.T) []byte {
	t.Helper()
	small := layoutOf(t, nil)
	return append(members{blob(large)}, small...).archive(t)
}

func TestLargeBlobsOfAFileComeLater(t *testing.T) {
	whole := withLargeLayer(t)
	for name, test := range map[string]struct {
		archive []byte
		says    string
	}{
		"whole":     {archive: whole},
		"damaged":   {archive: bytes.Replace(whole, []byte("xxx"), []byte("xyx"), 1), says: "another digest"},
		"truncated": {archive: whole[:documentLimit/2], says: "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			store, ctx := localStore(t), Context(t.Context())
			defer func() { _ = store.later.Close() }()
			path := filepath.Join(t.TempDir(), "archive.tar")
			if err := os.WriteFile(path, test.archive, 0o600); err != nil {
				t.Fatal(err)
			}
			of := describe("", large).Digest
			_, err := store.read(ctx, path, store.later)
			if err == nil {
				if _, missing := store.content.Info(ctx, of); !errdefs.IsNotFound(missing) {
					t.Errorf("the layer is there before its time: %v", missing)
				}
				if size, err := store.blobSize(ctx, of); err != nil || size != int64(len(large)) {
					t.Errorf("it has %d bytes, %v", size, err)
				}
				err = store.bringRest(ctx, nil)
			}
			var refused *refusal.Refusal
			switch {
			case test.says == "" && err != nil:
				t.Fatal(err)
			case test.says == "":
				if _, err := store.content.Info(ctx, of); err != nil {
					t.Error(err)
				}
			case !errors.As(err, &refused) || !strings.Contains(refused.Message, test.says):
				t.Errorf("%v, want a refusal with %q", err, test.says)
			}
		})
	}
}

func TestBlobsOfAStreamComeAtOnce(t *testing.T) {
	store, ctx := localStore(t), Context(t.Context())
	if _, err := store.readArchive(ctx, bytes.NewReader(withLargeLayer(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := store.content.Info(ctx, describe("", large).Digest); err != nil {
		t.Error(err)
	}
}
