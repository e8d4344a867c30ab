package imagearchive

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageNameAnnotation is what containerd's importer takes an image's full name
// from; `org.opencontainers.image.ref.name` is only a tag by the image-spec.
const imageNameAnnotation = "io.containerd.image.name"

// Write writes the image as an OCI archive that `ctr images import` accepts.
func Write(out io.Writer, image v1.Image, reference string) error {
	archive := tar.NewWriter(out)
	if err := writeBlobs(archive, image); err != nil {
		return err
	}
	descriptor, err := partial.Descriptor(image)
	if err != nil {
		return fmt.Errorf("describe the image: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("read the image's configuration: %w", err)
	}
	descriptor.Platform = &v1.Platform{OS: config.OS, Architecture: config.Architecture}
	descriptor.Annotations = map[string]string{imageNameAnnotation: reference}
	index, err := json.Marshal(v1.IndexManifest{
		SchemaVersion: 2,
		MediaType:     types.OCIImageIndex,
		Manifests:     []v1.Descriptor{*descriptor},
	})
	if err != nil {
		return fmt.Errorf("encode the index: %w", err)
	}
	if err := writeMember(archive, "index.json", index); err != nil {
		return err
	}
	if err := writeMember(archive, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("finish the archive: %w", err)
	}
	return nil
}

func writeBlobs(archive *tar.Writer, image v1.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return fmt.Errorf("list the layers: %w", err)
	}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return fmt.Errorf("digest a layer: %w", err)
		}
		stream, err := layer.Compressed()
		if err != nil {
			return fmt.Errorf("open layer %s: %w", digest, err)
		}
		content, err := io.ReadAll(stream)
		if err != nil {
			return fmt.Errorf("read layer %s: %w", digest, err)
		}
		if err := writeMember(archive, blobPath(digest), content); err != nil {
			return err
		}
	}
	configName, err := image.ConfigName()
	if err != nil {
		return fmt.Errorf("digest the configuration: %w", err)
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return fmt.Errorf("encode the configuration: %w", err)
	}
	if err := writeMember(archive, blobPath(configName), config); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return fmt.Errorf("digest the manifest: %w", err)
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	return writeMember(archive, blobPath(digest), manifest)
}

func blobPath(digest v1.Hash) string {
	return path.Join("blobs", digest.Algorithm, digest.Hex)
}

func writeMember(archive *tar.Writer, name string, content []byte) error {
	header := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     name,
		Mode:     0o644,
		Size:     int64(len(content)),
		ModTime:  time.Unix(0, 0),
	}
	if err := archive.WriteHeader(header); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := archive.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
