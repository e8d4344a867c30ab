package imagestore

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// CopyFrom brings in images that another node has, content as it is, and unpacks them: all
// of them or, when one is refused, none.
func (s *Store) CopyFrom(ctx context.Context, other *Store, names []string) (copied []Loaded, err error) {
	err = s.leased(ctx, func(ctx context.Context) error {
		var candidates []candidate
		for _, name := range names {
			image, err := other.get(ctx, name)
			if err != nil {
				return err
			}
			if err := s.copyContent(ctx, other, image.Target); err != nil {
				return err
			}
			candidates = append(candidates, candidate{names: []string{image.Name}, target: image.Target})
		}
		copied, err = s.admit(ctx, candidates)
		return err
	})
	return copied, err
}

// copyContent copies a blob and, where it is a document that names others, those that the
// other node has: of an index, what is for other machines may be missing.
func (s *Store) copyContent(ctx context.Context, other *Store, target ocispec.Descriptor) error {
	err := images.Walk(ctx, images.HandlerFunc(func(ctx context.Context, blob ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		reader, err := other.content.ReaderAt(ctx, blob)
		if errdefs.IsNotFound(err) {
			return nil, images.ErrSkipDesc
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", blob.Digest, err)
		}
		defer func() { _ = reader.Close() }()
		if err := s.put(ctx, blob.Digest.String(), blob.Digest, blob.Size, content.NewReader(reader)); err != nil {
			return nil, err
		}
		return images.Children(ctx, s.content, blob)
	}), target)
	if err != nil {
		return fmt.Errorf("copy an image: %w", err)
	}
	return nil
}
