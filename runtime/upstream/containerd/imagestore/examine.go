package imagestore

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// examined is an image for this machine that is whole: all of its documents have been
// read, and all of its layers are there.
type examined struct {
	target   ocispec.Descriptor // what the image's name will stand for: a manifest or an index
	manifest ocispec.Manifest
	config   ocispec.Image
	// configID is the digest of the configuration, by which the CRI knows the image.
	configID digest.Digest
}

// indexDepthLimit is how deep indexes may lie in indexes.
const indexDepthLimit = 4

// examine reads the documents of an image and looks for its layers.
func (s *Store) examine(ctx context.Context, target ocispec.Descriptor) (*examined, error) {
	manifest, err := s.manifestFor(ctx, target, indexDepthLimit)
	if err != nil {
		return nil, err
	}
	found, err := s.examineManifest(ctx, manifest)
	if err != nil {
		return nil, err
	}
	found.target = target
	return found, nil
}

// manifestFor finds the manifest for this machine.
func (s *Store) manifestFor(ctx context.Context, descriptor ocispec.Descriptor, depth int) (ocispec.Descriptor, error) {
	switch {
	case images.IsManifestType(descriptor.MediaType):
		return descriptor, nil
	case strings.HasPrefix(descriptor.MediaType, "application/vnd.docker.distribution.manifest.v1+"):
		return ocispec.Descriptor{}, refusal.New(refusal.Invalid, "the image has a manifest of schema 1, which was replaced in 2016").
			WithHint("Pull it with a current Docker and save it again.")
	case !images.IsIndexType(descriptor.MediaType):
		return ocispec.Descriptor{}, refusal.New(refusal.Invalid, "%q is not the media type of an image", descriptor.MediaType)
	case depth == 0:
		return ocispec.Descriptor{}, refusal.New(refusal.Invalid, "the image's indexes lie more than %d deep in each other", indexDepthLimit)
	}
	document, err := s.document(ctx, "the index", descriptor)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(document, &index); err != nil {
		return ocispec.Descriptor{}, refusal.New(refusal.Invalid, "the index %s is malformed: %v", descriptor.Digest, err)
	}
	fitting, others := s.byPlatform(index.Manifests)
	if len(fitting) == 0 {
		return ocispec.Descriptor{}, wrongPlatform(others)
	}
	return s.manifestFor(ctx, fitting[0], depth-1)
}

// byPlatform returns the entries that this machine can run, the best one first, and the
// names of the platforms of the others.
func (s *Store) byPlatform(entries []ocispec.Descriptor) (fitting []ocispec.Descriptor, others []string) {
	for _, entry := range entries {
		switch {
		case entry.Platform == nil || s.platform.Match(*entry.Platform):
			fitting = append(fitting, entry)
		case entry.Platform.OS != "unknown": // those of attestations
			others = append(others, platforms.Format(*entry.Platform))
		}
	}
	sort.SliceStable(fitting, func(i, j int) bool {
		a, b := fitting[i].Platform, fitting[j].Platform
		return a != nil && (b == nil || s.platform.Less(*a, *b))
	})
	return fitting, others
}

func wrongPlatform(found []string) *refusal.Refusal {
	return refusal.New(refusal.Platform, "the image is for %s, and this machine is %s", strings.Join(found, ", "), platforms.DefaultString()).
		WithHint("Build or save it for this machine's platform.")
}

func (s *Store) examineManifest(ctx context.Context, descriptor ocispec.Descriptor) (*examined, error) {
	document, err := s.document(ctx, "the manifest", descriptor)
	if err != nil {
		return nil, err
	}
	found := &examined{}
	if err := json.Unmarshal(document, &found.manifest); err != nil {
		return nil, refusal.New(refusal.Invalid, "the manifest %s is malformed: %v", descriptor.Digest, err)
	}
	if found.manifest.SchemaVersion != 2 {
		return nil, refusal.New(refusal.Invalid, "the manifest %s has schema version %d, not 2", descriptor.Digest, found.manifest.SchemaVersion)
	}
	config := found.manifest.Config
	if !images.IsConfigType(config.MediaType) {
		return nil, refusal.New(refusal.Invalid, "the archive holds no container image, but one of media type %q", config.MediaType)
	}
	if document, err = s.document(ctx, "the configuration", config); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(document, &found.config); err != nil {
		return nil, refusal.New(refusal.Invalid, "the configuration %s is malformed: %v", config.Digest, err)
	}
	found.configID = config.Digest
	if !s.platform.Match(found.config.Platform) {
		return nil, wrongPlatform([]string{platforms.Format(found.config.Platform)})
	}
	return found, s.examineLayers(ctx, found)
}

func (s *Store) examineLayers(ctx context.Context, found *examined) error {
	layers, diffIDs := found.manifest.Layers, found.config.RootFS.DiffIDs
	if len(layers) != len(diffIDs) {
		return refusal.New(refusal.Invalid, "the image has %d layers, but its configuration names %d", len(layers), len(diffIDs))
	}
	for number, layer := range layers {
		if _, err := images.DiffCompression(ctx, layer.MediaType); err != nil || strings.HasSuffix(layer.MediaType, "+encrypted") {
			return refusal.New(refusal.Invalid, "layer %d of %d has the media type %q, which containerd can not unpack", number+1, len(layers), layer.MediaType)
		}
		if err := diffIDs[number].Validate(); err != nil {
			return refusal.New(refusal.Invalid, "the digest %q of layer %d is malformed", diffIDs[number], number+1)
		}
		if err := layer.Digest.Validate(); err != nil {
			return refusal.New(refusal.Invalid, "the digest %q of layer %d is malformed", layer.Digest, number+1)
		}
		info, err := s.content.Info(ctx, layer.Digest)
		if errdefs.IsNotFound(err) {
			return refusal.New(refusal.Invalid, "layer %d of %d, %s, is missing", number+1, len(layers), layer.Digest)
		}
		if err != nil {
			return fmt.Errorf("look at layer %s: %w", layer.Digest, err)
		}
		if info.Size != layer.Size {
			return refusal.New(refusal.Invalid, "layer %d of %d has %d bytes where %d are announced", number+1, len(layers), info.Size, layer.Size)
		}
	}
	return nil
}
