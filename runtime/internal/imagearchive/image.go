// Package imagearchive builds container images from local files and writes
// them as OCI archives (image-spec 1.1, image layout in a tar file), without a
// registry or a container engine. Equal inputs give equal digests.
package imagearchive

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Spec describes an image of one layer for linux and one architecture.
type Spec struct {
	Reference    string // full name that the image is imported under, such as "sandkube.local/hello:1"
	Architecture string // GOARCH name; empty means this program's own
	Entrypoint   []string
	Command      []string
	Environment  []string // "NAME=value"
	User         string
	WorkingDir   string
	Sources      []Source
}

// Validate reports every defect of the description, joined.
func (s Spec) Validate() error {
	var errs []error
	if name, tag, ok := strings.Cut(s.Reference, ":"); !ok || !strings.Contains(name, "/") || tag == "" {
		errs = append(errs, fmt.Errorf("reference %q is not of the form HOST/NAME:TAG", s.Reference))
	}
	for _, variable := range s.Environment {
		if name, _, ok := strings.Cut(variable, "="); !ok || name == "" {
			errs = append(errs, fmt.Errorf("environment variable %q is not of the form NAME=VALUE", variable))
		}
	}
	return errors.Join(errs...)
}

// Build makes the image. Its layer is not compressed: the archives stay on the
// machine, where unpacking time counts and transfer size does not.
func Build(spec Spec) (v1.Image, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if err := writeLayer(&content, spec.Sources); err != nil {
		return nil, err
	}
	layer := static.NewLayer(content.Bytes(), types.OCIUncompressedLayer)
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(image, layer)
	if err != nil {
		return nil, fmt.Errorf("append the layer: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the image's configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS = "linux"
	config.Architecture = spec.Architecture
	if config.Architecture == "" {
		config.Architecture = runtime.GOARCH
	}
	config.Config = v1.Config{
		Entrypoint: spec.Entrypoint,
		Cmd:        spec.Command,
		Env:        spec.Environment,
		User:       spec.User,
		WorkingDir: spec.WorkingDir,
	}
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		return nil, fmt.Errorf("set the image's configuration: %w", err)
	}
	return image, nil
}
