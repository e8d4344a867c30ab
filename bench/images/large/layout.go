package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

const (
	reference    = "sandkube.local/large:1"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// layout is an OCI layout: files by their paths, in the order in which tools write them.
type layout struct {
	names []string
	files map[string][]byte
}

func (l *layout) add(name string, content []byte) {
	if l.files == nil {
		l.files = map[string][]byte{}
	}
	l.names = append(l.names, name)
	l.files[name] = content
}

func (l *layout) blob(mediaType string, content []byte) descriptor {
	hash := sha256.Sum256(content)
	name := hex.EncodeToString(hash[:])
	l.add("blobs/sha256/"+name, content)
	return descriptor{MediaType: mediaType, Digest: "sha256:" + name, Size: len(content)}
}

func (l *layout) document(mediaType string, value any) (descriptor, error) {
	content, err := json.Marshal(value)
	return l.blob(mediaType, content), err
}

func writeImages(directory string) error {
	plain, compressed := [][]byte{}, [][]byte{}
	for number := range layerCount {
		content, err := layer(number)
		if err != nil {
			return err
		}
		smaller, err := compress(content)
		if err != nil {
			return err
		}
		plain, compressed = append(plain, content), append(compressed, smaller)
	}
	return errors.Join(
		writeImage(directory, "plain", layerType, plain, plain),
		writeImage(directory, "gzip", layerType+"+gzip", plain, compressed),
	)
}

func writeImage(directory, name, mediaType string, plain, layers [][]byte) error {
	image := &layout{}
	image.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	var diffIDs []string
	var described []descriptor
	for number, content := range layers {
		hash := sha256.Sum256(plain[number])
		diffIDs = append(diffIDs, "sha256:"+hex.EncodeToString(hash[:]))
		described = append(described, image.blob(mediaType, content))
		if err := write(filepath.Join(directory, "layers-"+name, fmt.Sprintf("%02d.tar", number)), content); err != nil {
			return err
		}
	}
	config, err := image.document(configType, map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{"Entrypoint": []string{"/" + programPath, "wait"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs},
	})
	if err != nil {
		return err
	}
	manifest, err := image.document(manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": described,
	})
	if err != nil {
		return err
	}
	manifest.Annotations = map[string]string{"io.containerd.image.name": reference}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []descriptor{manifest}})
	if err != nil {
		return err
	}
	image.add("index.json", index)
	if err := image.archive(filepath.Join(directory, name+".tar")); err != nil {
		return err
	}
	for path, content := range image.files {
		if err := write(filepath.Join(directory, "layout-"+name, path), content); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) archive(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	writer := tar.NewWriter(file)
	for _, name := range l.names {
		content := l.files[name]
		if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := writer.Write(content); err != nil {
			return err
		}
	}
	return writer.Close()
}

func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
