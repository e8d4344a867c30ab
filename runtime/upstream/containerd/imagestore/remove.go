package imagestore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"

	"sandkube.dev/upstream/containerd/refusal"
)

// Tag gives an image another name, and returns it in full.
func (s *Store) Tag(ctx context.Context, source, target string) (string, error) {
	image, err := s.get(ctx, source)
	if err != nil {
		return "", err
	}
	name, err := NormalizeName(target)
	if err != nil {
		return "", err
	}
	if strings.Contains(name, "@") {
		return "", refusal.New(refusal.Usage, "%q names a digest, which is not for you to give", target)
	}
	if err := s.name(ctx, name, image.Target, pinned); err != nil {
		return "", err
	}
	return name, s.waitForKubelet(ctx, []string{name})
}

// get finds an image by a name, in full or in short.
func (s *Store) get(ctx context.Context, name string) (images.Image, error) {
	full, err := NormalizeName(name)
	if err != nil {
		return images.Image{}, err
	}
	image, err := s.images.Get(ctx, full)
	if errdefs.IsNotFound(err) {
		return images.Image{}, refusal.New(refusal.NotFound, "the node has no image %s", full).
			WithHint("`sandkube image list` shows what it has.")
	}
	if err != nil {
		return images.Image{}, fmt.Errorf("look for the image %s: %w", full, err)
	}
	return image, nil
}

// Removed tells what is gone.
type Removed struct {
	Names []string `json:"names"`
	// FreedBytes is what the content store and the snapshots have less.
	FreedBytes int64 `json:"freedBytes"`
}

// Remove takes names from images. An image without a name left goes, unless a pod has
// containers of it; force takes the names nevertheless, and what the containers need stays.
func (s *Store) Remove(ctx context.Context, names []string, force bool) (Removed, error) {
	listed, err := s.List(ctx)
	if err != nil {
		return Removed{}, err
	}
	var doomed []string
	for _, name := range names {
		image, err := s.get(ctx, name)
		if err != nil {
			return Removed{}, err
		}
		index := slices.IndexFunc(listed, func(one Listed) bool { return one.Name == image.Name })
		if index >= 0 && listed[index].Needed {
			return Removed{}, refusal.New(refusal.InUse, "every pod of the node needs the image %s", image.Name)
		}
		doomed = append(doomed, image.Name)
	}
	if !force {
		if err := refuseUsed(listed, doomed); err != nil {
			return Removed{}, err
		}
	}
	return s.removeNames(ctx, doomed)
}

// refuseUsed refuses to take the last name of an image that pods use.
func refuseUsed(listed []Listed, doomed []string) error {
	for _, image := range listed {
		if len(image.Pods) == 0 || !slices.Contains(doomed, image.Name) {
			continue
		}
		keepsName := slices.ContainsFunc(listed, func(other Listed) bool {
			return other.Digest == image.Digest && !slices.Contains(doomed, other.Name)
		})
		if !keepsName {
			return refusal.New(refusal.InUse, "the image %s is used by %s", image.Name, strings.Join(image.Pods, ", ")).
				WithHint("Delete the pods first, or take the name away with --force.")
		}
	}
	return nil
}

// removeNames takes names away, and with the last one of an image those that the CRI
// keeps, and then lets containerd remove what nothing names any more.
func (s *Store) removeNames(ctx context.Context, doomed []string) (Removed, error) {
	before, err := s.usedBytes(ctx)
	if err != nil {
		return Removed{}, err
	}
	records, err := s.images.List(ctx)
	if err != nil {
		return Removed{}, fmt.Errorf("list the images: %w", err)
	}
	all := slices.Clone(doomed)
	for _, names := range namesOf(records) {
		isLast := !slices.ContainsFunc(names, func(name string) bool {
			return !isInternalName(name, records) && !slices.Contains(doomed, name)
		})
		if isLast && slices.ContainsFunc(names, func(name string) bool { return slices.Contains(doomed, name) }) {
			all = append(all, names...)
		}
	}
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		if err := s.images.Delete(ctx, name); err != nil && !errdefs.IsNotFound(err) {
			return Removed{}, fmt.Errorf("remove the image %s: %w", name, err)
		}
	}
	freed, err := s.collect(ctx, before)
	return Removed{Names: doomed, FreedBytes: freed}, err
}

// Prune removes what commands that were killed left behind and, if all is set, every
// image that neither a pod nor the node uses and that is not among those to keep.
func (s *Store) Prune(ctx context.Context, all bool, keep []string) (Removed, error) {
	before, err := s.usedBytes(ctx)
	if err != nil {
		return Removed{}, err
	}
	if _, err := s.RemoveLeftovers(ctx); err != nil {
		return Removed{}, err
	}
	removed := Removed{Names: []string{}}
	if all {
		if removed, err = s.pruneUnused(ctx, keep); err != nil {
			return Removed{}, err
		}
	}
	removed.FreedBytes, err = s.collect(ctx, before)
	return removed, err
}

func (s *Store) pruneUnused(ctx context.Context, keep []string) (Removed, error) {
	listed, err := s.List(ctx)
	if err != nil {
		return Removed{}, err
	}
	kept := map[string]bool{} // by digest: a pod may name any of an image's names
	for _, name := range keep {
		// A pod may name an image that the node does not have, or no valid one.
		if image, err := s.get(ctx, name); err == nil {
			kept[image.Target.Digest.String()] = true
		}
	}
	doomed := []string{}
	for _, image := range listed {
		if len(image.Pods) == 0 && !image.Needed && !kept[image.Digest] {
			doomed = append(doomed, image.Name)
		}
	}
	return s.removeNames(ctx, doomed)
}

// collect lets containerd remove at once what nothing names, and returns how many bytes
// there are less than before.
func (s *Store) collect(ctx context.Context, before int64) (int64, error) {
	// containerd offers this by the deletion of a lease only.
	lease, err := s.leases.Create(ctx, leases.WithRandomID(), leases.WithExpiration(leaseLimit))
	if err == nil {
		err = s.leases.Delete(ctx, lease, leases.SynchronousDelete)
	}
	if err != nil {
		return 0, fmt.Errorf("remove what is not needed any more: %w", err)
	}
	after, err := s.usedBytes(ctx)
	return max(0, before-after), err
}
