package imagestore

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

// usedBytes is what all content and all unpacked layers take.
func (s *Store) usedBytes(ctx context.Context) (total int64, err error) {
	if err := s.content.Walk(ctx, func(info content.Info) error {
		total += info.Size
		return nil
	}); err != nil {
		return 0, fmt.Errorf("add up the content: %w", err)
	}
	var layers []string
	if err := s.snapshots.Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		if info.Kind == snapshots.KindCommitted {
			layers = append(layers, info.Name)
		}
		return nil
	}); err != nil {
		return 0, fmt.Errorf("list the unpacked layers: %w", err)
	}
	for _, layer := range layers {
		usage, err := s.snapshots.Usage(ctx, layer)
		if errdefs.IsNotFound(err) {
			continue // removed in the meantime
		}
		if err != nil {
			return 0, fmt.Errorf("measure the layer %s: %w", layer, err)
		}
		total += usage.Size
	}
	return total, nil
}
