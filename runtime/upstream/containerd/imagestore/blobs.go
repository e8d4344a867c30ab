package imagestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// documentLimit is the most bytes that a manifest, index or configuration may have;
// registries take no more than 4 MiB.
const documentLimit = 8 << 20

// put copies a blob of a known digest into the content store; one that is there
// already is not read.
func (s *Store) put(ctx context.Context, name string, expected digest.Digest, size int64, from io.Reader) error {
	err := content.WriteBlob(ctx, s.content, writeName(ctx, expected.String()), from, ocispec.Descriptor{Digest: expected, Size: size})
	return s.explainPut(name, size, err)
}

// putUnnamed copies a blob whose digest nobody knows.
func (s *Store) putUnnamed(ctx context.Context, name string, size int64, from io.Reader) (digest.Digest, error) {
	writer, err := content.OpenWriter(ctx, s.content, content.WithRef(writeName(ctx, name)))
	if err != nil {
		return "", fmt.Errorf("store %s: %w", name, err)
	}
	defer func() { _ = writer.Close() }()
	hashed := digest.Canonical.Digester()
	if err := content.Copy(ctx, writer, io.TeeReader(from, hashed.Hash()), size, ""); err != nil {
		return "", s.explainPut(name, size, err)
	}
	return hashed.Digest(), nil
}

func (s *Store) explainPut(name string, size int64, err error) error {
	switch {
	case err == nil:
		return nil
	case refusal.IsNoSpace(err):
		return refusal.New(refusal.Space, "no space is left in the data directory for %s, which has %s", name, formatBytes(size)).
			WithHint("`sandkube image prune` removes what no pod uses.")
	case errdefs.IsFailedPrecondition(err):
		return refusal.New(refusal.Invalid, "%s is damaged: its content has another digest than its name says", name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refusal.New(refusal.Invalid, "%s is cut off", name)
	default:
		return fmt.Errorf("store %s: %w", name, err)
	}
}

// writeName names a write in progress, apart from those of other commands.
func writeName(ctx context.Context, name string) string {
	lease, _ := leases.FromContext(ctx)
	return "sandkube-" + lease + "-" + name
}

// document reads a small blob whole.
func (s *Store) document(ctx context.Context, what string, descriptor ocispec.Descriptor) ([]byte, error) {
	if err := descriptor.Digest.Validate(); err != nil {
		return nil, refusal.New(refusal.Invalid, "the digest %q of %s is malformed", descriptor.Digest, what)
	}
	info, err := s.content.Info(ctx, descriptor.Digest)
	if errdefs.IsNotFound(err) {
		return nil, refusal.New(refusal.Invalid, "%s %s is missing", what, descriptor.Digest)
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", descriptor.Digest, err)
	}
	if info.Size > documentLimit {
		return nil, refusal.New(refusal.Invalid, "%s %s has %s, which is more than the limit of %s", what, descriptor.Digest, formatBytes(info.Size), formatBytes(documentLimit))
	}
	if info.Size != descriptor.Size {
		return nil, refusal.New(refusal.Invalid, "%s %s has %d bytes where %d are announced", what, descriptor.Digest, info.Size, descriptor.Size)
	}
	descriptor.Data = nil
	return content.ReadBlob(ctx, s.content, descriptor)
}

// putDocument stores a small blob that was made here.
func (s *Store) putDocument(ctx context.Context, mediaType string, document []byte) (ocispec.Descriptor, error) {
	descriptor := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(document), Size: int64(len(document))}
	err := s.put(ctx, "the description of the image", descriptor.Digest, descriptor.Size, bytes.NewReader(document))
	return descriptor, err
}

// formatBytes writes a size for people.
func formatBytes(bytes int64) string {
	const step = 1024
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	amount, unit := float64(bytes), 0
	for amount >= step && unit < len(units)-1 {
		amount, unit = amount/step, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", amount, units[unit])
}
