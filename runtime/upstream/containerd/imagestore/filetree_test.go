package imagestore

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"sandkube.dev/upstream/containerd/refusal"
)

func TestCollectFiles(t *testing.T) {
	source := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(source, "bin"), 0o755),
		os.WriteFile(filepath.Join(source, "bin", "tool"), []byte("tool"), 0o755),
		os.Chmod(filepath.Join(source, "bin", "tool"), 0o755|os.ModeSetuid),
		os.Link(filepath.Join(source, "bin", "tool"), filepath.Join(source, "same")),
		os.Symlink("/bin/tool", filepath.Join(source, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	layer := func() []byte {
		tree, err := collectFiles(source)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := tree.write(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := layer()
	if !bytes.Equal(first, layer()) {
		t.Error("two layers of the same files differ")
	}
	type member struct {
		name, link string
		kind       byte
		mode       int64
		owner      int
	}
	var got []member
	for reader := tar.NewReader(bytes.NewReader(first)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, member{header.Name, header.Linkname, header.Typeflag, header.Mode, header.Uid})
	}
	want := []member{
		{"bin/", "", tar.TypeDir, 0o755, 0},
		{"bin/tool", "", tar.TypeReg, 0o4755, 0},
		{"link", "/bin/tool", tar.TypeSymlink, 0o777, 0},
		{"same", "bin/tool", tar.TypeLink, 0o4755, 0},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the layer has %v, want %v", got, want)
	}
}

func TestCollectFilesRefuses(t *testing.T) {
	pipes, whiteouts := t.TempDir(), t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(pipes, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(whiteouts, ".wh.gone"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{pipes, whiteouts, filepath.Join(pipes, "missing")} {
		_, err := collectFiles(source)
		var refused *refusal.Refusal
		if !errors.As(err, &refused) || refused.Kind != refusal.Invalid {
			t.Errorf("%s: got %v, want a refusal", source, err)
		}
	}
}

func TestMergeEnv(t *testing.T) {
	got := mergeEnv([]string{"PATH=/bin", "A=1"}, []string{"A=2", "AB=3"})
	if want := []string{"PATH=/bin", "A=2", "AB=3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
