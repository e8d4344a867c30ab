package imagestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/labels"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
)

// copyingSnapshotter is the one whose snapshots are full copies of what they are based on.
const copyingSnapshotter = "native"

// unpackWhole unpacks all layers of an image into one snapshot, the one that its containers
// are based on. Where snapshots are copies, one for each layer would copy all layers below
// it, and share nothing for that.
func (s *Store) unpackWhole(ctx context.Context, image *examined, tell func(number int)) (err error) {
	name := identity.ChainID(append([]digest.Digest{}, image.config.RootFS.DiffIDs...)).String()
	if _, err := s.snapshots.Stat(ctx, name); err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	if len(image.manifest.Layers) == 0 {
		return nil
	}
	key := fmt.Sprintf(snapshots.UnpackKeyFormat, writeName(ctx, "whole"), name)
	mounts, err := s.snapshots.Prepare(ctx, key, "")
	if err != nil {
		return fmt.Errorf("prepare a snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.abandon(ctx, key))
		}
	}()
	for number, blob := range image.manifest.Layers {
		tell(number)
		if err := s.apply(ctx, image, number, mounts); err != nil {
			return s.explainUnpack(ctx, image, number, err)
		}
		diffID := image.config.RootFS.DiffIDs[number]
		if err := s.label(ctx, blob.Digest, labels.LabelUncompressed, diffID.String()); err != nil {
			return err
		}
	}
	if err := s.snapshots.Commit(ctx, name, key); err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("keep the snapshot: %w", err)
	} else if err != nil {
		// Another command was faster.
		return s.abandon(ctx, key)
	}
	return nil
}

// abandon removes a snapshot that is not finished, also when the context is done.
func (s *Store) abandon(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	if err := s.snapshots.Remove(ctx, key); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove an unfinished snapshot: %w", err)
	}
	return nil
}
