package imagestore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// scratch is the base with nothing in it.
const scratch = "scratch"

// Recipe says what an image is made of: one more layer on a base.
type Recipe struct {
	// Source is a directory whose content becomes the root, or one file, which is put there.
	Source string `json:"source"`
	// Name is what the image is called.
	Name string `json:"name"`
	// Base is an image of the node, the path of an archive where the node is not asked, or
	// "scratch".
	Base string `json:"base"`
	// What follows replaces what the base says, where it is given.
	Entrypoint []string          `json:"entrypoint"`
	Command    []string          `json:"command"`
	Env        []string          `json:"env"` // NAME=VALUE, added to the base's
	User       string            `json:"user"`
	WorkingDir string            `json:"workingDir"`
	Labels     map[string]string `json:"labels"` // added to the base's
	// Output is a file for an archive, which is then all that comes of it: the node does
	// not get the image.
	Output string `json:"output"`
}

// Built is an image that was made.
type Built struct {
	Loaded
	// Output is the file that was written; empty when the node has the image.
	Output string `json:"output,omitempty"`
	// Warnings are about what will probably not run.
	Warnings []string `json:"warnings"`
}

// Build makes an image of local files. Equal files and settings give equal digests.
func (s *Store) Build(ctx context.Context, recipe Recipe) (built Built, err error) {
	name, err := NormalizeName(recipe.Name)
	if err != nil {
		return Built{}, err
	}
	if err := recipe.validate(); err != nil {
		return Built{}, err
	}
	err = s.leased(ctx, func(ctx context.Context) error {
		base, err := s.base(ctx, recipe.Base)
		if err != nil {
			return err
		}
		if recipe.Output != "" {
			built, err = s.buildOutput(ctx, name, recipe, base)
			return err
		}
		target, warnings, err := s.assemble(ctx, recipe, base)
		if err != nil {
			return err
		}
		loaded, err := s.admit(ctx, []candidate{{names: []string{name}, target: target}})
		if err == nil {
			built = Built{Loaded: loaded[0], Warnings: warnings}
		}
		return err
	})
	return built, err
}

// buildOutput makes the image as an archive.
func (s *Store) buildOutput(ctx context.Context, name string, recipe Recipe, base *examined) (Built, error) {
	target, warnings, err := s.assemble(ctx, recipe, base)
	if err != nil {
		return Built{}, err
	}
	image, err := s.examine(ctx, target)
	if err != nil {
		return Built{}, err
	}
	_, err = s.write(ctx, []images.Image{{Name: name, Target: target}}, recipe.Output, nil)
	return Built{
		Loaded:   Loaded{Name: name, Digest: target.Digest.String(), Layers: len(image.manifest.Layers), SizeBytes: image.sizeBytes()},
		Output:   recipe.Output,
		Warnings: warnings,
	}, err
}

func (r Recipe) validate() error {
	for _, variable := range r.Env {
		if name, _, ok := strings.Cut(variable, "="); !ok || name == "" {
			return refusal.New(refusal.Usage, "the environment variable %q is not of the form NAME=VALUE", variable)
		}
	}
	if r.WorkingDir != "" && !strings.HasPrefix(r.WorkingDir, "/") {
		return refusal.New(refusal.Usage, "the working directory %q is not absolute", r.WorkingDir)
	}
	return nil
}

// emptyBase is the base with nothing in it.
func emptyBase() *examined {
	return &examined{config: ocispec.Image{Platform: platforms.DefaultSpec(), RootFS: ocispec.RootFS{Type: "layers"}}}
}

// base is the image that the new layer is put on.
func (s *Store) base(ctx context.Context, name string) (*examined, error) {
	if name == scratch {
		return emptyBase(), nil
	}
	image, err := s.get(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.examine(ctx, image.Target)
}

// assemble stores the layer, the configuration and the manifest.
func (s *Store) assemble(ctx context.Context, recipe Recipe, base *examined) (target ocispec.Descriptor, warnings []string, err error) {
	files, err := collectFiles(recipe.Source)
	if err != nil {
		return target, nil, err
	}
	layer, err := s.putLayer(ctx, files)
	if err != nil {
		return target, nil, err
	}
	config := recipe.configure(base.config, files.program)
	config.RootFS.DiffIDs = append(slices.Clone(config.RootFS.DiffIDs), layer.Digest)
	config.History = append(slices.Clone(config.History), ocispec.History{CreatedBy: "sandkube image from"})
	document, err := json.Marshal(config)
	if err != nil {
		return target, nil, fmt.Errorf("encode the configuration: %w", err)
	}
	described, err := s.putDocument(ctx, ocispec.MediaTypeImageConfig, document)
	if err != nil {
		return target, nil, err
	}
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    described,
		Layers:    append(ociLayers(base.manifest.Layers), layer),
	}
	if document, err = json.Marshal(manifest); err != nil {
		return target, nil, fmt.Errorf("encode the manifest: %w", err)
	}
	target, err = s.putDocument(ctx, ocispec.MediaTypeImageManifest, document)
	return target, warn(recipe, config.Config, files), err
}

// putLayer stores the files as a layer that is not compressed: it stays on this machine.
func (s *Store) putLayer(ctx context.Context, files *fileTree) (ocispec.Descriptor, error) {
	const name = "the new layer"
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(files.write(writer)) }()
	defer func() { _ = reader.Close() }()
	out, err := content.OpenWriter(ctx, s.content, content.WithRef(writeName(ctx, "layer")))
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("store %s: %w", name, err)
	}
	defer func() { _ = out.Close() }()
	hashed := digest.Canonical.Digester()
	counted := &counting{Reader: io.TeeReader(cancellable{ctx, reader}, hashed.Hash()), tell: func(bytes int64) {
		s.progress.tell(Report{Phase: Reading, Bytes: bytes, TotalBytes: files.sizeBytes})
	}}
	if err := content.Copy(ctx, out, counted, 0, ""); err != nil {
		return ocispec.Descriptor{}, s.explainPut(name, files.sizeBytes, err)
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: hashed.Digest(), Size: counted.bytes}, nil
}

// configure is the base's configuration with what the recipe replaces or adds. An entry
// point takes the base's arguments with it, as in a Dockerfile.
func (r Recipe) configure(base ocispec.Image, program string) ocispec.Image {
	config := base
	config.Created = nil
	switch {
	case r.Entrypoint != nil:
		config.Config.Entrypoint, config.Config.Cmd = r.Entrypoint, nil
	case program != "":
		config.Config.Entrypoint, config.Config.Cmd = []string{program}, nil
	}
	if r.Command != nil {
		config.Config.Cmd = r.Command
	}
	config.Config.Env = mergeEnv(base.Config.Env, r.Env)
	if r.User != "" {
		config.Config.User = r.User
	}
	if r.WorkingDir != "" {
		config.Config.WorkingDir = r.WorkingDir
	}
	if len(r.Labels) > 0 {
		config.Config.Labels = maps.Clone(base.Config.Labels)
		if config.Config.Labels == nil {
			config.Config.Labels = map[string]string{}
		}
		maps.Copy(config.Config.Labels, r.Labels)
	}
	return config
}

// mergeEnv replaces variables in their places and appends new ones.
func mergeEnv(base, added []string) []string {
	merged := slices.Clone(base)
	for _, variable := range added {
		name, _, _ := strings.Cut(variable, "=")
		at := slices.IndexFunc(merged, func(one string) bool { return strings.HasPrefix(one, name+"=") })
		if at >= 0 {
			merged[at] = variable
		} else {
			merged = append(merged, variable)
		}
	}
	return merged
}

// ociLayers gives layers the media types that a manifest of OCI may hold.
func ociLayers(layers []ocispec.Descriptor) []ocispec.Descriptor {
	named := slices.Clone(layers)
	for i, layer := range named {
		switch layer.MediaType {
		case images.MediaTypeDockerSchema2Layer:
			named[i].MediaType = ocispec.MediaTypeImageLayer
		case images.MediaTypeDockerSchema2LayerGzip:
			named[i].MediaType = ocispec.MediaTypeImageLayerGzip
		case images.MediaTypeDockerSchema2LayerZstd:
			named[i].MediaType = ocispec.MediaTypeImageLayerZstd
		}
	}
	return named
}

// warn looks for what will not run.
func warn(recipe Recipe, config ocispec.ImageConfig, files *fileTree) []string {
	warnings := []string{}
	if len(config.Entrypoint) == 0 && len(config.Cmd) == 0 {
		warnings = append(warnings, "the image says no command: give one with --entrypoint or --cmd, or in each pod")
	}
	if recipe.Base == scratch && files.program != "" {
		if loader := dynamicLoader(recipe.Source); loader != "" {
			warnings = append(warnings, fmt.Sprintf("the program is linked dynamically and needs %s, which %s does not have: link it statically or choose a --base", loader, scratch))
		}
	}
	return warnings
}
