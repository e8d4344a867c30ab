package imagestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/labels"
	"github.com/containerd/containerd/v2/pkg/rootfs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
	"sandkube.dev/upstream/containerd/unpackstream"
)

// snapshotLabel is the prefix of a label by which a configuration keeps its snapshot.
const snapshotLabel = "containerd.io/gc.ref.snapshot."

// unpack makes the snapshots of an image that it does not have yet.
func (s *Store) unpack(ctx context.Context, name string, image *examined) error {
	layers := image.manifest.Layers
	total, unpacked := int64(0), int64(0)
	for _, layer := range layers {
		total += layer.Size
	}
	tell := func(number int) {
		s.progress.tell(Report{Phase: Unpacking, Image: name, Bytes: unpacked, TotalBytes: total, Layer: number + 1, Layers: len(layers)})
		unpacked += layers[number].Size
	}
	unpack := s.unpackLayers
	if s.snapshotter == copyingSnapshotter {
		unpack = s.unpackWhole
	}
	if err := unpack(ctx, image, tell); err != nil {
		return err
	}
	chainID := identity.ChainID(slices.Clone(image.config.RootFS.DiffIDs))
	return s.label(ctx, image.configID, snapshotLabel+s.snapshotter, chainID.String())
}

// unpackLayers makes a snapshot of each layer, on that of the one below it.
func (s *Store) unpackLayers(ctx context.Context, image *examined, tell func(number int)) (err error) {
	ahead, err := s.unpackApart(ctx, image)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ahead.stop(ctx)) }()
	var chain []digest.Digest
	for number, blob := range image.manifest.Layers {
		tell(number)
		diffID := image.config.RootFS.DiffIDs[number]
		applied := ahead.commit(ctx, number)
		if !applied {
			layer := rootfs.Layer{Blob: blob, Diff: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diffID}}
			applied, err = rootfs.ApplyLayerWithOpts(ctx, layer, chain, s.snapshots, s.client.DiffService(), nil, unpackstream.WithLimit(s.UnpackLimitBytes))
			if err != nil {
				return s.explainUnpack(ctx, image, number, err)
			}
		}
		if applied {
			if err := s.label(ctx, blob.Digest, labels.LabelUncompressed, diffID.String()); err != nil {
				return err
			}
		}
		chain = append(chain, diffID)
	}
	return nil
}

// apply unpacks a layer of an image to where the mounts lead.
func (s *Store) apply(ctx context.Context, image *examined, number int, mounts []mount.Mount) error {
	options := unpackstream.WithLimit(s.UnpackLimitBytes)
	applied, err := s.client.DiffService().Apply(ctx, image.manifest.Layers[number], mounts, options...)
	if err == nil && applied.Digest != image.config.RootFS.DiffIDs[number] {
		err = errors.New("wrong diff id")
	}
	return err
}

func (s *Store) label(ctx context.Context, of digest.Digest, name, value string) error {
	_, err := s.content.Update(ctx, content.Info{Digest: of, Labels: map[string]string{name: value}}, "labels."+name)
	if err != nil {
		return fmt.Errorf("label %s: %w", of, err)
	}
	return nil
}

// explainUnpack says what is wrong with a layer, or how much space there would have to be.
func (s *Store) explainUnpack(ctx context.Context, image *examined, number int, err error) error {
	of := fmt.Sprintf("layer %d of %d", number+1, len(image.manifest.Layers))
	why, tooLarge := unpackstream.ReasonTooLarge(err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case refusal.IsNoSpace(err):
		needed := ""
		if bytes, counted := s.uncompressedBytes(ctx, image.manifest.Layers[number:]); counted {
			needed = fmt.Sprintf(": what is left of the image needs %s", formatBytes(bytes))
		}
		return refusal.New(refusal.Space, "no space is left to unpack %s%s", of, needed).
			WithHint("`sandkube image prune --all` removes the images that no pod uses.")
	case tooLarge:
		return refusal.New(refusal.Invalid, "%s becomes too large: %s", of, why).WithHint(unpackstream.HintTooLarge)
	case strings.Contains(err.Error(), "wrong diff id"):
		return refusal.New(refusal.Invalid, "%s is damaged: unpacked, it has another digest than the configuration says", of)
	case isDamagedLayer(err):
		return refusal.New(refusal.Invalid, "%s is damaged: %s", of, lastPart(err))
	default:
		return fmt.Errorf("unpack %s: %w", of, err)
	}
}

// isDamagedLayer knows what Go's readers of archives say, of which gRPC leaves the text.
func isDamagedLayer(err error) bool {
	for _, known := range []string{"unexpected EOF", "archive/tar: ", "gzip: ", "flate: ", "zstd", "magic number mismatch", "layer limit"} {
		if strings.Contains(err.Error(), known) {
			return true
		}
	}
	return false
}

// lastPart is the cause at the end of a wrapped error's text.
func lastPart(err error) string {
	parts := strings.Split(err.Error(), ": ")
	return strings.Join(parts[max(0, len(parts)-2):], ": ")
}

// countLimit is where the counting of an image's size ends: it would only delay the refusal.
const countLimit = 64 << 30

// uncompressedBytes counts what layers have when they are decompressed.
func (s *Store) uncompressedBytes(ctx context.Context, layers []ocispec.Descriptor) (total int64, counted bool) {
	for _, layer := range layers {
		bytes, err := s.uncompressedSize(ctx, layer, countLimit-total)
		total += bytes
		if err != nil || total >= countLimit || ctx.Err() != nil {
			return total, false
		}
	}
	return total, true
}

func (s *Store) uncompressedSize(ctx context.Context, layer ocispec.Descriptor, limit int64) (int64, error) {
	reader, err := s.content.ReaderAt(ctx, layer)
	if err != nil {
		return 0, err
	}
	defer func() { _ = reader.Close() }()
	plain, err := unpackstream.Decompress(content.NewReader(reader))
	if err != nil {
		return 0, err
	}
	defer func() { _ = plain.Close() }()
	return io.Copy(io.Discard, io.LimitReader(plain, limit))
}
