package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Media types of image-spec 1.1.
const (
	manifestType  = "application/vnd.oci.image.manifest.v1+json"
	indexType     = "application/vnd.oci.image.index.v1+json"
	configType    = "application/vnd.oci.image.config.v1+json"
	layerType     = "application/vnd.oci.image.layer.v1.tar"
	gzipLayerType = layerType + "+gzip"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

// layout is an OCI image layout in memory: paths and their contents.
type layout map[string][]byte

func (l layout) blob(mediaType string, content []byte) descriptor {
	digest := digestOf(content)
	l["blobs/sha256/"+digest] = content
	return descriptor{MediaType: mediaType, Digest: "sha256:" + digest, Size: len(content)}
}

func (l layout) document(mediaType string, value any) descriptor {
	return l.blob(mediaType, encode(value))
}

// image adds an image of plain or compressed layers, given as tar streams.
func (l layout) image(architecture string, layers [][]byte, compressed bool) descriptor {
	var diffIDs []string
	var descriptors []descriptor
	for _, layer := range layers {
		diffIDs = append(diffIDs, "sha256:"+digestOf(layer))
		if compressed {
			descriptors = append(descriptors, l.blob(gzipLayerType, compress(layer)))
		} else {
			descriptors = append(descriptors, l.blob(layerType, layer))
		}
	}
	return l.manifest(architecture, diffIDs, descriptors)
}

// manifest adds an image of layers that are there already, and whatever digests they are said to have.
func (l layout) manifest(architecture string, diffIDs []string, layers []descriptor) descriptor {
	config := l.document(configType, map[string]any{
		"os": "linux", "architecture": architecture,
		"config": map[string]any{"Env": []string{"PATH=/bin"}, "Cmd": []string{"sh"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs},
	})
	manifest := l.document(manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": layers,
	})
	manifest.Platform = &platform{OS: "linux", Architecture: architecture}
	return manifest
}

// name finishes the layout: its one image gets a name.
func (l layout) name(image descriptor, name string) layout {
	image.Annotations = map[string]string{"io.containerd.image.name": name}
	l["index.json"] = encode(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []descriptor{image}})
	l["oci-layout"] = []byte(`{"imageLayoutVersion":"1.0.0"}`)
	return l
}

// archive is the layout as a tar stream.
func (l layout) archive() []byte {
	files := newTar()
	for _, path := range slices.Sorted(maps.Keys(l)) {
		files.file(path, 0o644, l[path])
	}
	return files.bytes()
}

func (l layout) writeDirectory(directory string) error {
	for path, content := range l {
		target := filepath.Join(directory, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tarStream writes a tar stream in memory; equal calls give equal bytes.
type tarStream struct {
	buffer bytes.Buffer
	writer *tar.Writer
}

func newTar() *tarStream {
	t := &tarStream{}
	t.writer = tar.NewWriter(&t.buffer)
	return t
}

func (t *tarStream) add(header tar.Header, content []byte) {
	header.Size = int64(len(content))
	header.ModTime = time.Unix(1_700_000_000, 0)
	must(t.writer.WriteHeader(&header))
	_, err := t.writer.Write(content)
	must(err)
}

func (t *tarStream) file(name string, mode int64, content []byte) {
	t.add(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, content)
}

func (t *tarStream) directory(name string) {
	t.add(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}, nil)
}

func (t *tarStream) bytes() []byte {
	must(t.writer.Close())
	return t.buffer.Bytes()
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := io.Copy(writer, bytes.NewReader(content))
	must(err)
	must(writer.Close())
	return out.Bytes()
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func encode(value any) []byte {
	content, err := json.Marshal(value)
	must(err)
	return content
}

// must ends this tool of the tests; nothing here fails but by a defect of the tool.
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "oddities:", err)
		os.Exit(1)
	}
}
