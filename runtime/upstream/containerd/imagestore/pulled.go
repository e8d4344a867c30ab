package imagestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
)

// UnpacksWhole says whether an image is unpacked into one snapshot: a pull is then not to
// unpack its layers, but to be followed by UnpackPulled.
func UnpacksWhole(snapshotter string) bool { return snapshotter == copyingSnapshotter }

// Pulled is an image that is being pulled under a name.
type Pulled struct {
	store *Store
	name  string
	// before is what the name stood for; nil: nothing.
	before *images.Image
}

// BeforePull notes what a full name stands for before an image is pulled.
func (s *Store) BeforePull(ctx context.Context, name string) (*Pulled, error) {
	pulled := &Pulled{store: s, name: name}
	image, err := s.images.Get(ctx, name)
	if err == nil {
		pulled.before = &image
	} else if !errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("look for the image %s: %w", name, err)
	}
	return pulled, nil
}

// Unpack unpacks the image that has been pulled. When it fails, the name stands again for
// what it stood for before.
func (p *Pulled) Unpack(ctx context.Context, platform platforms.MatchComparer) error {
	p.store.platform = platform
	err := p.store.leased(ctx, func(ctx context.Context) error {
		image, err := p.store.get(ctx, p.name)
		if err != nil {
			return err
		}
		found, err := p.store.examine(ctx, image.Target)
		if err != nil {
			return err
		}
		return p.store.unpack(ctx, p.name, found)
	})
	if err != nil {
		return errors.Join(err, p.takeBack(ctx))
	}
	return nil
}

func (p *Pulled) takeBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	var err error
	if p.before == nil {
		err = p.store.images.Delete(ctx, p.name, images.SynchronousDelete())
	} else {
		_, err = p.store.images.Update(ctx, *p.before)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("take the name %s back: %w", p.name, err)
	}
	return nil
}
