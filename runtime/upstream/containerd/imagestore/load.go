package imagestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// Loaded is an image that pods can use.
type Loaded struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Layers int    `json:"layers"`
	// SizeBytes is that of the documents and layers as they were brought in.
	SizeBytes int64 `json:"sizeBytes"`
}

// Load brings in the images of an archive or of a directory with an OCI layout, or of
// standard input if the path is "-". A tag names an image that has no name of its own,
// or replaces the names of the only image.
func (s *Store) Load(ctx context.Context, path, tag string) (loaded []Loaded, err error) {
	if tag != "" {
		if tag, err = NormalizeName(tag); err != nil {
			return nil, err
		}
	}
	err = s.leased(ctx, func(ctx context.Context) error {
		found, err := s.read(ctx, path)
		if err != nil {
			return err
		}
		candidates, err := s.candidates(ctx, found)
		if err != nil {
			return err
		}
		if candidates, err = withTag(candidates, tag); err != nil {
			return err
		}
		loaded, err = s.admit(ctx, candidates)
		return err
	})
	return loaded, err
}

func (s *Store) read(ctx context.Context, path string) (*contents, error) {
	if path == "-" {
		return s.readStream(ctx, os.Stdin, 0)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(err)
	}
	if info.IsDir() {
		return s.readDirectory(ctx, path)
	}
	return s.readStream(ctx, file, info.Size())
}

func unreadable(err error) *refusal.Refusal {
	return refusal.New(refusal.Invalid, "the archive can not be read: %v", err)
}

func (s *Store) readStream(ctx context.Context, stream io.Reader, total int64) (*contents, error) {
	counted := &counting{Reader: cancellable{ctx, stream}, tell: func(bytes int64) {
		s.progress.tell(Report{Phase: Reading, Bytes: bytes, TotalBytes: total})
	}}
	return s.readArchive(ctx, counted)
}

// cancellable ends a long read when the context is done.
type cancellable struct {
	ctx context.Context
	io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}

// withTag gives every image a name, or says that one has none.
func withTag(candidates []candidate, tag string) ([]candidate, error) {
	switch {
	case len(candidates) == 0:
		return nil, refusal.New(refusal.Invalid, "the archive holds no image")
	case tag != "" && len(candidates) > 1:
		return nil, refusal.New(refusal.Usage, "the archive holds %d images, so that --tag can not name them", len(candidates))
	case tag != "":
		candidates[0].names = []string{tag}
	}
	for _, one := range candidates {
		if len(one.names) == 0 {
			return nil, refusal.New(refusal.Invalid, "the archive holds an image without a name").
				WithHint("`--tag NAME` gives it one.")
		}
	}
	return candidates, nil
}

// admit examines and unpacks images, and then, when all of them are sound, names them.
func (s *Store) admit(ctx context.Context, candidates []candidate) ([]Loaded, error) {
	var admitted []*examined
	for _, one := range candidates {
		image, err := s.examine(ctx, one.target)
		if err != nil {
			return nil, err
		}
		admitted = append(admitted, image)
	}
	for number, image := range admitted {
		if err := s.unpack(ctx, candidates[number].names[0], image); err != nil {
			return nil, err
		}
		if err := s.linkContent(ctx, image.target); err != nil {
			return nil, err
		}
	}
	if err := s.incoming.sync(); err != nil {
		return nil, fmt.Errorf("bring the image to the disk: %w", err)
	}
	var loaded []Loaded
	var names []string
	for number, image := range admitted {
		names = append(names, candidates[number].names...)
		for _, name := range candidates[number].names {
			if err := s.name(ctx, name, image.target, pinned); err != nil {
				return nil, err
			}
			loaded = append(loaded, Loaded{
				Name: name, Digest: image.target.Digest.String(), Layers: len(image.manifest.Layers), SizeBytes: image.sizeBytes(),
			})
		}
	}
	return loaded, s.waitForKubelet(ctx, names)
}

func (e *examined) sizeBytes() int64 {
	total := e.target.Size + e.manifest.Config.Size
	for _, layer := range e.manifest.Layers {
		total += layer.Size
	}
	return total
}

// linkContent writes the labels by which containerd keeps what an image consists of.
// Of an index, what is for other machines may be missing.
func (s *Store) linkContent(ctx context.Context, target ocispec.Descriptor) error {
	present := images.HandlerFunc(func(ctx context.Context, descriptor ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		children, err := images.Children(ctx, s.content, descriptor)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(children, func(child ocispec.Descriptor) bool {
			_, err := s.content.Info(ctx, child.Digest)
			return errdefs.IsNotFound(err)
		}), nil
	})
	if err := images.Walk(ctx, images.SetChildrenLabels(s.content, present), target); err != nil {
		return fmt.Errorf("connect the image's parts: %w", err)
	}
	return nil
}

// name makes a name stand for an image, whatever it stood for before.
func (s *Store) name(ctx context.Context, name string, target ocispec.Descriptor, labels map[string]string) error {
	image := images.Image{Name: name, Target: target, Labels: labels}
	_, err := s.images.Update(ctx, image, "target", "labels")
	if errdefs.IsNotFound(err) {
		_, err = s.images.Create(ctx, image)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("name the image %s", name), err)
	}
	return nil
}
