package imagestore

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// dockerImage is an entry of manifest.json, as `docker save` writes it.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerCandidates makes a manifest for each image of a `docker save` archive, which
// has none of its own.
func (s *Store) dockerCandidates(ctx context.Context, found *contents) ([]candidate, error) {
	var entries []dockerImage
	if err := json.Unmarshal(found.dockerManifest, &entries); err != nil {
		return nil, refusal.New(refusal.Invalid, "manifest.json is malformed: %v", err)
	}
	var candidates []candidate
	for _, entry := range entries {
		manifest, err := s.dockerManifest(ctx, found, entry)
		if err != nil {
			return nil, err
		}
		one := candidate{target: manifest}
		for _, tag := range entry.RepoTags {
			name, err := NormalizeName(tag)
			if err != nil {
				return nil, err
			}
			one.names = append(one.names, name)
		}
		candidates = append(candidates, one)
	}
	return candidates, nil
}

func (s *Store) dockerManifest(ctx context.Context, found *contents, entry dockerImage) (ocispec.Descriptor, error) {
	config, err := found.file(entry.Config)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	config.MediaType = images.MediaTypeDockerSchema2Config
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: images.MediaTypeDockerSchema2Manifest,
		Config:    config,
	}
	for _, name := range entry.Layers {
		layer, err := found.file(name)
		if err != nil {
			return ocispec.Descriptor{}, err
		}
		if layer.MediaType, err = s.layerType(ctx, layer); err != nil {
			return ocispec.Descriptor{}, err
		}
		manifest.Layers = append(manifest.Layers, layer)
	}
	document, err := json.Marshal(manifest)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("encode the manifest: %w", err)
	}
	return s.putDocument(ctx, manifest.MediaType, document)
}

// file finds a file of the archive, through at most as many links as there are.
func (c *contents) file(name string) (ocispec.Descriptor, error) {
	target := path.Clean(name)
	for range len(c.links) + 1 {
		if file, ok := c.files[target]; ok {
			return file, nil
		}
		next, ok := c.links[target]
		if !ok {
			break
		}
		target = next
	}
	return ocispec.Descriptor{}, refusal.New(refusal.Invalid, "manifest.json names %s, which is not in the archive", name)
}

// layerType looks at a layer's first bytes: the archive does not say how it is compressed.
func (s *Store) layerType(ctx context.Context, layer ocispec.Descriptor) (string, error) {
	reader, err := s.content.ReaderAt(ctx, layer)
	if err != nil {
		return "", fmt.Errorf("look at layer %s: %w", layer.Digest, err)
	}
	defer func() { _ = reader.Close() }()
	magic := make([]byte, 8)
	n, err := content.NewReader(reader).Read(magic)
	if err != nil && n == 0 {
		return images.MediaTypeDockerSchema2Layer, nil // an empty layer
	}
	switch compression.DetectCompression(magic[:n]) {
	case compression.Gzip:
		return images.MediaTypeDockerSchema2LayerGzip, nil
	case compression.Zstd:
		return images.MediaTypeDockerSchema2LayerZstd, nil
	default:
		return images.MediaTypeDockerSchema2Layer, nil
	}
}
