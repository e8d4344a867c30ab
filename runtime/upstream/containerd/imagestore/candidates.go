package imagestore

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// candidate is an image of an archive that has not been examined yet.
type candidate struct {
	names  []string // full names; may be empty
	target ocispec.Descriptor
}

// NormalizeName completes a name in Docker's way, with its default registry and tag.
func NormalizeName(name string) (string, error) {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return "", refusal.New(refusal.Usage, "%q is not the name of an image: %v", name, err)
	}
	return named.String(), nil
}

// candidates are the images of what was read. An OCI layout wins over a manifest.json
// beside it, which newer versions of `docker save` write for older readers.
func (s *Store) candidates(ctx context.Context, found *contents) ([]candidate, error) {
	switch {
	case found.isLayout && found.index != nil:
		return s.layoutCandidates(ctx, found.index)
	case found.isLayout:
		return nil, refusal.New(refusal.Invalid, "the OCI layout has no %s", ocispec.ImageIndexFile)
	case found.dockerManifest != nil:
		return s.dockerCandidates(ctx, found)
	case found.links["repositories"] != "" || hasLegacyLayer(found):
		return nil, refusal.New(refusal.Invalid, "the archive has the form that Docker wrote before version 1.10, without a manifest.json").
			WithHint("Save the image again with a newer Docker.")
	default:
		return nil, refusal.New(refusal.Invalid, "the archive holds no image: it has neither an %s nor a manifest.json", ocispec.ImageIndexFile)
	}
}

func hasLegacyLayer(found *contents) bool {
	for name := range found.files {
		if strings.HasSuffix(name, "/layer.tar") {
			return true
		}
	}
	return false
}

func (s *Store) layoutCandidates(ctx context.Context, document []byte) ([]candidate, error) {
	var index ocispec.Index
	if err := json.Unmarshal(document, &index); err != nil {
		return nil, refusal.New(refusal.Invalid, "%s is malformed: %v", ocispec.ImageIndexFile, err)
	}
	var candidates []candidate
	named := false
	for _, manifest := range index.Manifests {
		if manifest.Annotations[images.AnnotationManifestSubject] != "" {
			continue // a signature or an attestation of another entry
		}
		one := candidate{target: manifest}
		if name := layoutName(manifest.Annotations); name != "" {
			full, err := NormalizeName(name)
			if err != nil {
				return nil, err
			}
			one.names, named = []string{full}, true
		}
		candidates = append(candidates, one)
	}
	if named || len(candidates) < 2 {
		return candidates, nil
	}
	// Several without a name are one image for several platforms.
	target, err := s.putDocument(ctx, ocispec.MediaTypeImageIndex, document)
	return []candidate{{target: target}}, err
}

// layoutName is the full name that an entry's annotations give. org.opencontainers.image.ref.name
// is only a tag by the image-spec, but some tools write a full name there.
func layoutName(annotations map[string]string) string {
	if name := annotations[images.AnnotationImageName]; name != "" {
		return name
	}
	if name := annotations[ocispec.AnnotationRefName]; strings.ContainsAny(name, "/:@") {
		return name
	}
	return ""
}
