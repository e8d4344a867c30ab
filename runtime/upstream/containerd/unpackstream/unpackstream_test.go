package unpackstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/containerd/containerd/v2/core/diff"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

var generous = limit{bytes: 1 << 40}

// noise is content that does not get smaller.
func noise(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	return content
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := writer.Write(content)
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t *testing.T, content []byte) []byte {
	t.Helper()
	writer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return writer.EncodeAll(content, nil)
}

func read(t *testing.T, layer io.Reader, limit limit) ([]byte, error) {
	t.Helper()
	stream, err := open(layer, limit, space{t.TempDir()})
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(stream)
	return content, errors.Join(err, stream.Close())
}

func TestLayersOfEveryCompression(t *testing.T) {
	for _, size := range []int{0, 1, chunkBytes, 7*chunkBytes + 13} {
		content := noise(size)
		for name, layer := range map[string][]byte{"plain": content, "gzip": gzipped(t, content), "zstd": zstandard(t, content)} {
			got, err := read(t, bytes.NewReader(layer), generous)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s, %d bytes: got %d bytes, %v", name, size, len(got), err)
			}
		}
	}
}

func TestABrokenLayerEndsWithItsError(t *testing.T) {
	layer := gzipped(t, noise(3*chunkBytes))
	if _, err := read(t, bytes.NewReader(layer[:len(layer)/2]), generous); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a layer that is cut off: %v", err)
	}
	if _, err := read(t, iotest.ErrReader(unix.EIO), generous); !errors.Is(err, unix.EIO) {
		t.Errorf("a layer that can not be read: %v", err)
	}
}

func TestALayerThatIsNotReadToItsEnd(t *testing.T) {
	stream, err := open(bytes.NewReader(noise(20*chunkBytes)), generous, space{t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stream, make([]byte, chunkBytes+1)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.Close(), stream.Close()); err != nil {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	zeros := make([]byte, 4*chunkBytes)
	for _, test := range []struct {
		name    string
		layer   []byte
		limit   limit
		refused string
	}{
		{"zeros", gzipped(t, zeros), limit{bytes: chunkBytes, ratio: 200}, tooLarge},
		{"zeros below the size", gzipped(t, zeros), limit{bytes: 4 * chunkBytes, ratio: 200}, ""},
		{"noise", gzipped(t, noise(4*chunkBytes)), limit{bytes: chunkBytes, ratio: 200}, ""},
		{"plain zeros", zeros, limit{bytes: chunkBytes, ratio: 200}, ""},
		{"more than was allowed", noise(4 * chunkBytes), limit{bytes: chunkBytes}, tooLarge},
	} {
		_, err := read(t, bytes.NewReader(test.layer), test.limit)
		if (err == nil) != (test.refused == "") || (err != nil && !strings.HasPrefix(err.Error(), test.refused)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestALimitArrivesWithTheRequest(t *testing.T) {
	var config diff.ApplyConfig
	for _, option := range WithLimit(5) {
		if err := option(t.Context(), ocispec.Descriptor{}, &config); err != nil {
			t.Fatal(err)
		}
	}
	initialize, handles := handler(t.TempDir())(context.Background(), ocispec.MediaTypeImageLayerGzip)
	if !handles {
		t.Fatal("a layer of OCI is not handled")
	}
	layer := gzipped(t, noise(6))
	stream, err := initialize(t.Context(), diff.NewProcessorChain(ocispec.MediaTypeImageLayerGzip, bytes.NewReader(layer)), config.ProcessorPayloads)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := io.ReadAll(stream); err == nil || !strings.Contains(err.Error(), "the limit of 5 bytes") {
		t.Errorf("the layer ends with %v", err)
	}
	if len(WithLimit(0)) > 0 {
		t.Error("no limit is one")
	}
}
