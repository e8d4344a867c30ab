package imagearchive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func sample(t *testing.T) Spec {
	t.Helper()
	root := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return full
	}
	program := write("program", "#!/bin/sh\n")
	write("tree/etc/motd", "hello\n")
	return Spec{
		Reference:    "sandkube.local/sample:1",
		Architecture: "amd64",
		Entrypoint:   []string{"/bin/program"},
		Environment:  []string{"A=b"},
		User:         "65534:65534",
		Sources: []Source{
			File(program, "/bin/program", 0o755),
			Directory(filepath.Join(root, "tree"), "/"),
			Directory("", "/tmp"),
			Link("program", "/bin/alias"),
		},
	}
}

func archiveOf(t *testing.T, spec Spec) []byte {
	t.Helper()
	image, err := Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, image, spec.Reference); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func members(t *testing.T, stream []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for reader := tar.NewReader(bytes.NewReader(stream)); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = content
	}
}

func decode[T any](t *testing.T, content []byte) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatalf("%s: %v", content, err)
	}
	return value
}

func TestEqualInputsGiveEqualArchives(t *testing.T) {
	spec := sample(t)
	first := archiveOf(t, spec)
	// A source file's time must not matter.
	past := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(spec.Sources[0].from, past, past); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, archiveOf(t, spec)) {
		t.Error("the second archive of the same files differs from the first")
	}
}

func TestArchiveIsAnImageLayout(t *testing.T) {
	files := members(t, archiveOf(t, sample(t)))
	index := decode[v1.IndexManifest](t, files["index.json"])
	if len(index.Manifests) != 1 {
		t.Fatalf("index lists %d manifests, want 1", len(index.Manifests))
	}
	if name := index.Manifests[0].Annotations[imageNameAnnotation]; name != "sandkube.local/sample:1" {
		t.Errorf("image name is %q", name)
	}
	manifest := decode[v1.Manifest](t, files[blobPath(index.Manifests[0].Digest)])
	config := decode[v1.ConfigFile](t, files[blobPath(manifest.Config.Digest)])
	if config.OS != "linux" || config.Architecture != "amd64" || config.Config.User != "65534:65534" {
		t.Errorf("configuration is %+v", config)
	}
	layer := members(t, files[blobPath(manifest.Layers[0].Digest)])
	want := map[string]string{
		"bin/": "", "bin/alias": "", "bin/program": "#!/bin/sh\n", "etc/": "", "etc/motd": "hello\n", "tmp/": "",
	}
	got := map[string]string{}
	for name, content := range layer {
		got[name] = string(content)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("layer holds %v, want %v", got, want)
	}
}

func TestDefectsAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"no tag", func(s *Spec) { s.Reference = "sandkube.local/sample" }, "reference"},
		{"no host", func(s *Spec) { s.Reference = "sample:1" }, "reference"},
		{"variable without a value", func(s *Spec) { s.Environment = []string{"A"} }, "environment"},
		{"relative path", func(s *Spec) { s.Sources = []Source{Directory("", "tmp")} }, "not absolute"},
		{"missing file", func(s *Spec) { s.Sources = []Source{File("/nonexistent", "/a", 0o644)} }, "no such file"},
		{"directory as a file", func(s *Spec) { s.Sources = []Source{File("/", "/a", 0o644)} }, "not a regular file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := sample(t)
			test.change(&spec)
			if _, err := Build(spec); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one that says %q", err, test.want)
			}
		})
	}
}
