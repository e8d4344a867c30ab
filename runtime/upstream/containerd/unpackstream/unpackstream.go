// Package unpackstream is how the node's containerd reads layers when it unpacks them,
// whoever asks for it: the kubelet, a pull or a load.
//
// It is a stream processor in the sense of containerd's core/diff. Unlike containerd's own
// it bounds what a small layer may become, leaves some space on the disk, and decompresses
// while what came before is still being hashed and written.
package unpackstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/typeurl/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ZstdWindowLimit is the most memory that a stream may ask its reader to keep; that of the
// highest level is 128 MiB.
const ZstdWindowLimit = 128 << 20

// Register makes this the way in which this process reads layers. snapshots is the
// directory that they are unpacked to.
func Register(snapshots string) {
	diff.RegisterProcessor(handler(snapshots))
}

func handler(snapshots string) diff.Handler {
	return func(ctx context.Context, mediaType string) (diff.StreamProcessorInit, bool) {
		if _, err := images.DiffCompression(ctx, mediaType); err != nil {
			return nil, false
		}
		return func(ctx context.Context, layer diff.StreamProcessor, payloads map[string]typeurl.Any) (diff.StreamProcessor, error) {
			limit, err := limitOf(payloads)
			if err != nil {
				return nil, err
			}
			return open(layer, limit, space{snapshots})
		}, true
	}
}

// processor gives the tar archive of a layer.
type processor struct {
	io.Reader
	ahead *readAhead // nil: the layer is not compressed
	plain io.Closer
	// isStored says that the archive is as the content store has it.
	isStored bool
}

func open(layer io.Reader, limit limit, disk space) (*processor, error) {
	compressed := &counter{Reader: layer}
	plain, isCompressed, err := decompress(compressed)
	if err != nil {
		return nil, err
	}
	bounded := &bounded{Reader: plain, compressed: compressed, limit: limit, disk: disk}
	if !isCompressed {
		// Reading is cheaper than waking up who reads.
		return &processor{Reader: bounded, plain: plain, isStored: true}, nil
	}
	ahead := newReadAhead(bounded)
	return &processor{Reader: ahead, ahead: ahead, plain: plain}, nil
}

// MediaType implements diff.StreamProcessor.
func (p *processor) MediaType() string { return ocispec.MediaTypeImageLayer }

// IsStored says that what is read is the blob that the content store has checked. The node's
// containerd, which is patched for it, does not compute its digest again.
func (p *processor) IsStored() bool { return p.isStored }

// Close implements io.Closer.
func (p *processor) Close() error {
	if p.ahead != nil {
		p.ahead.stop()
	}
	return p.plain.Close()
}

// Decompress undoes the compression that a stream begins with, if any: gzip or zstd.
func Decompress(stream io.Reader) (io.ReadCloser, error) {
	plain, _, err := decompress(stream)
	return plain, err
}

func decompress(stream io.Reader) (plain io.ReadCloser, isCompressed bool, err error) {
	buffered := bufio.NewReaderSize(stream, chunkBytes)
	// The longest of the magic numbers has eight bytes.
	magic, err := buffered.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	switch compression.DetectCompression(magic) {
	case compression.Gzip:
		reader, err := gzip.NewReader(buffered)
		return reader, true, err
	case compression.Zstd:
		reader, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(ZstdWindowLimit))
		if err != nil {
			return nil, true, fmt.Errorf("zstd: %w", err)
		}
		return reader.IOReadCloser(), true, nil
	default:
		return io.NopCloser(buffered), false, nil
	}
}
