package imagestore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
)

// Listed is an image of the node under one of its names.
type Listed struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// ID is the digest of the configuration; the names of one image share it.
	ID string `json:"id"`
	// SizeBytes is that of the documents and layers in the content store.
	SizeBytes int64 `json:"sizeBytes"`
	// UnpackedBytes is that of the snapshots, which images with equal layers share.
	UnpackedBytes int64 `json:"unpackedBytes"`
	Layers        int   `json:"layers"`
	// Pods are those with a container of the image, ended ones included, as NAMESPACE/NAME.
	Pods []string `json:"pods"`
	// Needed says that the node itself can not do without the image.
	Needed bool `json:"needed"`
}

// podSandboxRepository is that of the image that every pod has a container of.
const podSandboxRepository = "sandkube.local/pause"

// List returns the node's images by name.
func (s *Store) List(ctx context.Context) ([]Listed, error) {
	records, err := s.images.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the images: %w", err)
	}
	pods, err := s.podsByImage(ctx)
	if err != nil {
		return nil, err
	}
	used := map[digest.Digest][]string{}
	for _, record := range records {
		used[record.Target.Digest] = append(used[record.Target.Digest], pods[record.Name]...)
	}
	listed := []Listed{}
	for _, record := range records {
		if isInternalName(record.Name, records) {
			continue
		}
		entry := Listed{
			Name:   record.Name,
			Digest: record.Target.Digest.String(),
			Pods:   slices.Compact(slices.Sorted(slices.Values(used[record.Target.Digest]))),
			Needed: strings.HasPrefix(record.Name, podSandboxRepository+":"),
		}
		if entry.Pods == nil {
			entry.Pods = []string{}
		}
		s.measure(ctx, record, &entry)
		listed = append(listed, entry)
	}
	slices.SortFunc(listed, func(a, b Listed) int { return cmp.Compare(a.Name, b.Name) })
	return listed, nil
}

// isInternalName tells names that the CRI keeps beside a tag: the image's id, and
// NAME@DIGEST of one that was pulled.
func isInternalName(name string, records []images.Image) bool {
	if strings.HasPrefix(name, "sha256:") {
		return true
	}
	repository, hash, isDigest := strings.Cut(name, "@")
	return isDigest && slices.ContainsFunc(records, func(other images.Image) bool {
		return other.Target.Digest.String() == hash && strings.HasPrefix(other.Name, repository+":")
	})
}

// podsByImage maps names of images to the pods that have containers of them.
func (s *Store) podsByImage(ctx context.Context) (map[string][]string, error) {
	containers, err := s.client.ContainerService().List(ctx, `labels."io.cri-containerd.kind"==container`)
	if err != nil {
		return nil, fmt.Errorf("list the containers: %w", err)
	}
	pods := map[string][]string{}
	for _, container := range containers {
		pod := container.Labels["io.kubernetes.pod.namespace"] + "/" + container.Labels["io.kubernetes.pod.name"]
		pods[container.Image] = append(pods[container.Image], pod)
	}
	return pods, nil
}

// measure adds what an image has and takes; of one that is not whole, what is known.
func (s *Store) measure(ctx context.Context, record images.Image, entry *Listed) {
	image, err := s.examine(ctx, record.Target)
	if err != nil {
		return
	}
	entry.ID, entry.Layers, entry.SizeBytes = image.configID.String(), len(image.manifest.Layers), image.sizeBytes()
	for _, chainID := range chainIDs(image.config.RootFS.DiffIDs) {
		if usage, err := s.snapshots.Usage(ctx, chainID); err == nil {
			entry.UnpackedBytes += usage.Size
		}
	}
}

// chainIDs are the names of an image's snapshots, from the lowest layer's on.
func chainIDs(diffIDs []digest.Digest) []string {
	var names []string
	for _, chainID := range identity.ChainIDs(slices.Clone(diffIDs)) {
		names = append(names, chainID.String())
	}
	return names
}

// namesOf maps the digests of images to their names, internal ones included.
func namesOf(records []images.Image) map[digest.Digest][]string {
	names := map[digest.Digest][]string{}
	for _, record := range records {
		names[record.Target.Digest] = append(names[record.Target.Digest], record.Name)
	}
	for hash := range maps.Keys(names) {
		slices.Sort(names[hash])
	}
	return names
}
