package imagestore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandkube.dev/upstream/containerd/refusal"
)

func TestBuildArchiveNeedsNoNode(t *testing.T) {
	directory := t.TempDir()
	source := filepath.Join(directory, "site")
	if err := os.Mkdir(source, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "page"), []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	// A command that was killed has left this: no process began at the first tick as number 1 begins.
	if err := os.Mkdir(filepath.Join(directory, workspacePrefix+"1-x.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	progress := NewProgress(func(Report) {})
	recipe := Recipe{Source: source, Name: "example.test/site", Base: scratch, Output: filepath.Join(directory, "base.tar")}
	first, err := BuildArchive(t.Context(), recipe, progress)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := BuildArchive(t.Context(), recipe, progress); err != nil || again.Digest != first.Digest {
		t.Errorf("a second time it is %s, not %s: %v", again.Digest, first.Digest, err)
	}
	recipe.Base, recipe.Output, recipe.Command = recipe.Output, filepath.Join(directory, "next.tar"), []string{"/page"}
	next, err := BuildArchive(t.Context(), recipe, progress)
	if err != nil || next.Layers != 2 || next.Name != "example.test/site:latest" {
		t.Errorf("on the archive it is %+v, %v", next, err)
	}
	left, err := filepath.Glob(filepath.Join(directory, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

func TestBuildArchiveRefuses(t *testing.T) {
	directory := t.TempDir()
	for _, test := range []struct{ base, output, reason string }{
		{filepath.Join(directory, "none.tar"), filepath.Join(directory, "a.tar"), "no such file"},
		{scratch, "", "no output"},
		{scratch, filepath.Join(directory, "none", "a.tar"), "no such file"},
	} {
		_, err := BuildArchive(t.Context(), Recipe{Source: directory, Name: "a", Base: test.base, Output: test.output}, NewProgress(func(Report) {}))
		var refused *refusal.Refusal
		if err == nil || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%+v: %v", test, err)
		} else if test.reason == "no output" && !errors.As(err, &refused) {
			t.Errorf("%+v is no refusal: %v", test, err)
		}
	}
}
