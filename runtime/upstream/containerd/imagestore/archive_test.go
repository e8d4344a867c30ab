package imagestore

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// localStore is a store without a containerd: it reads and examines, and unpacks nothing.
func localStore(t *testing.T) *Store {
	t.Helper()
	blobs, err := local.NewStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &Store{content: blobs, platform: platforms.Default(), progress: NewProgress(func(Report) {})}
}

// members are the files of an archive, in order.
type members [][2]string

func (m members) archive(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, member := range m {
		name, content := member[0], member[1]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644}
		if target, isLink := strings.CutPrefix(content, "-> "); isLink {
			header = &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
			content = ""
		}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	document, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}

func describe(mediaType, content string) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(content), Size: int64(len(content))}
}

func blob(content string) [2]string {
	return [2]string{"blobs/sha256/" + digest.FromString(content).Encoded(), content}
}

// layoutOf is an OCI layout with one image of one layer; change alters its manifest.
func layoutOf(t *testing.T, change func(*ocispec.Manifest, *ocispec.Image, *ocispec.Descriptor)) members {
	t.Helper()
	const layer = "the content of a layer"
	config := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}}
	config.RootFS.DiffIDs = []digest.Digest{digest.FromString(layer)}
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		Layers:    []ocispec.Descriptor{describe(ocispec.MediaTypeImageLayer, layer)},
	}
	entry := ocispec.Descriptor{
		MediaType:   ocispec.MediaTypeImageManifest,
		Annotations: map[string]string{"io.containerd.image.name": "sandkube.local/hello:1"},
	}
	if change != nil {
		change(&manifest, &config, &entry)
	}
	configDocument := encoded(t, config)
	manifest.Config.Digest, manifest.Config.Size = digest.FromString(configDocument), int64(len(configDocument))
	if manifest.Config.MediaType == "" {
		manifest.Config.MediaType = ocispec.MediaTypeImageConfig
	}
	manifestDocument := encoded(t, manifest)
	entry.Digest, entry.Size = digest.FromString(manifestDocument), int64(len(manifestDocument))
	return members{
		blob(layer), blob(configDocument), blob(manifestDocument),
		{"index.json", encoded(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []ocispec.Descriptor{entry}})},
		{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`},
	}
}

// load reads and examines an archive, as Load does before it unpacks.
func load(s *Store, archive []byte) ([]candidate, error) {
	ctx := context.Background()
	found, err := s.readArchive(ctx, bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	candidates, err := s.candidates(ctx, found)
	if err != nil {
		return nil, err
	}
	if candidates, err = withTag(candidates, ""); err != nil {
		return nil, err
	}
	for _, one := range candidates {
		if _, err := s.examine(ctx, one.target); err != nil {
			return nil, err
		}
	}
	return candidates, nil
}

func TestReadArchive(t *testing.T) {
	plain := layoutOf(t, nil).archive(t)
	for name, archive := range map[string][]byte{
		"plain": plain,
		"gzip":  compressed(t, plain, func(out *bytes.Buffer) writeCloser { return gzip.NewWriter(out) }),
		"zstd": compressed(t, plain, func(out *bytes.Buffer) writeCloser {
			writer, err := zstd.NewWriter(out)
			if err != nil {
				t.Fatal(err)
			}
			return writer
		}),
	} {
		t.Run(name, func(t *testing.T) {
			found, err := load(localStore(t), archive)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 || found[0].names[0] != "sandkube.local/hello:1" {
				t.Errorf("found %v", found)
			}
		})
	}
}

type writeCloser interface {
	Write([]byte) (int, error)
	Close() error
}

func compressed(t *testing.T, plain []byte, open func(*bytes.Buffer) writeCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := open(&out)
	if _, err := writer.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadDockerArchive(t *testing.T) {
	const layer = "the content of a layer"
	config := encoded(t, map[string]any{
		"os": "linux", "architecture": runtime.GOARCH,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest.FromString(layer).String()}},
	})
	archive := members{
		{"abc/layer.tar", layer},
		{"def/layer.tar", "-> ../abc/layer.tar"},
		{"config.json", config},
		{"manifest.json", `[{"Config":"config.json","RepoTags":["hello","registry.example/hello:2"],"Layers":["def/layer.tar"]}]`},
	}
	found, err := load(localStore(t), archive.archive(t))
	if err != nil {
		t.Fatal(err)
	}
	names := found[0].names
	if len(names) != 2 || !strings.HasSuffix(names[0], "/library/hello:latest") || names[1] != "registry.example/hello:2" {
		t.Errorf("names %v", names)
	}
}

func TestRefusedArchives(t *testing.T) {
	type manifest = ocispec.Manifest
	type config = ocispec.Image
	type descriptor = ocispec.Descriptor
	whole := layoutOf(t, nil).archive(t)
	for name, test := range map[string]struct {
		archive []byte
		kind    refusal.Kind
		says    string
	}{
		"nothing":      {nil, refusal.Invalid, "empty"},
		"text":         {bytes.Repeat([]byte("text\n"), 200), refusal.Invalid, "not a tar archive"},
		"truncated":    {whole[:520], refusal.Invalid, "cut off"},
		"other files":  {members{{"README", "x"}}.archive(t), refusal.Invalid, "holds no image"},
		"without blob": {layoutOf(t, nil)[1:].archive(t), refusal.Invalid, "layer 1 of 1"},
		"wrong digest": {bytes.Replace(whole, []byte("the content of"), []byte("THE CONTENT OF"), 1), refusal.Invalid, "damaged"},
		"nameless": {layoutOf(t, func(_ *manifest, _ *config, entry *descriptor) {
			entry.Annotations = nil
		}).archive(t), refusal.Invalid, "without a name"},
		"bad name": {layoutOf(t, func(_ *manifest, _ *config, entry *descriptor) {
			entry.Annotations["io.containerd.image.name"] = "UPPER CASE"
		}).archive(t), refusal.Usage, "not the name of an image"},
		"schema 1": {layoutOf(t, func(_ *manifest, _ *config, entry *descriptor) {
			entry.MediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws"
		}).archive(t), refusal.Invalid, "schema 1"},
		"another platform": {layoutOf(t, func(_ *manifest, config *config, _ *descriptor) {
			config.Architecture = "s390x"
		}).archive(t), refusal.Platform, "linux/s390x"},
		"unknown layer": {layoutOf(t, func(manifest *manifest, _ *config, _ *descriptor) {
			manifest.Layers[0].MediaType = "application/vnd.example.layer.v1.squashfs"
		}).archive(t), refusal.Invalid, "squashfs"},
		"encrypted layer": {layoutOf(t, func(manifest *manifest, _ *config, _ *descriptor) {
			manifest.Layers[0].MediaType += "+encrypted"
		}).archive(t), refusal.Invalid, "encrypted"},
		"wrong size": {layoutOf(t, func(manifest *manifest, _ *config, _ *descriptor) {
			manifest.Layers[0].Size++
		}).archive(t), refusal.Invalid, "announced"},
		"layers without digest": {layoutOf(t, func(_ *manifest, config *config, _ *descriptor) {
			config.RootFS.DiffIDs = nil
		}).archive(t), refusal.Invalid, "names 0"},
		"a chart": {layoutOf(t, func(manifest *manifest, _ *config, _ *descriptor) {
			manifest.Config.MediaType = "application/vnd.cncf.helm.config.v1+json"
		}).archive(t), refusal.Invalid, "no container image"},
		"docker without its layer": {members{
			{"config.json", "{}"}, {"manifest.json", `[{"Config":"config.json","RepoTags":["x:1"],"Layers":["gone.tar"]}]`},
		}.archive(t), refusal.Invalid, "gone.tar"},
		"docker with links in a circle": {members{
			{"a.tar", "-> b.tar"}, {"b.tar", "-> a.tar"}, {"config.json", "{}"},
			{"manifest.json", `[{"Config":"config.json","RepoTags":["x:1"],"Layers":["a.tar"]}]`},
		}.archive(t), refusal.Invalid, "a.tar"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(localStore(t), test.archive)
			var refused *refusal.Refusal
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if refused.Kind != test.kind || !strings.Contains(refused.Message, test.says) {
				t.Errorf("refused as %s: %s; want %s and %q", refused.Kind, refused.Message, test.kind, test.says)
			}
		})
	}
}
