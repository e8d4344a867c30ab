package imagedirectory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestFilesThatMeanSomething(t *testing.T) {
	for name, want := range map[string][2]bool{
		"app.tar": {true, false}, "app.tar.gz": {true, false}, "app.tgz": {true, false}, "app.tar.zst": {true, false},
		"list.txt": {false, true}, ".app.tar.x7Tq": {false, false}, ".app.tar": {false, false},
		"app.tar.part": {false, false}, "README.md": {false, false}, "app": {false, false},
	} {
		if isArchive(name) != want[0] || isList(name) != want[1] {
			t.Errorf("%s: archive %v, list %v", name, isArchive(name), isList(name))
		}
	}
}

func TestLook(t *testing.T) {
	directory := t.TempDir()
	if _, err := look(filepath.Join(directory, "none"), isArchive); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that does not exist: %v", err)
	}
	write(t, filepath.Join(directory, "b.tar"), "bb")
	write(t, filepath.Join(directory, "list.txt"), "x")
	if err := os.Mkdir(filepath.Join(directory, "directory.tar"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"a.tar": "b.tar", "dangling.tar": "gone"} {
		if err := os.Symlink(target, filepath.Join(directory, link)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := look(directory, isArchive)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
		if f.SizeBytes != 2 {
			t.Errorf("%s has %d bytes", f.name, f.SizeBytes)
		}
	}
	if want := []string{"a.tar", "b.tar"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestAFileIsSettledWhenItWasWrittenSomeTimeAgo(t *testing.T) {
	now := time.Now()
	at := func(size int64, age time.Duration) file {
		return file{name: "a.tar", stamp: stamp{SizeBytes: size, Modified: now.Add(-age)}}
	}
	seen := sightings{}
	if !seen.settled(at(1, time.Minute), now) {
		t.Error("an old file is not settled")
	}
	if seen.settled(at(2, 0), now) {
		t.Error("a file that was just written is settled")
	}
	grown := at(3, -settleTime)
	if seen.settled(grown, now.Add(settleTime)) {
		t.Error("a file that has grown is settled")
	}
	if !seen.settled(grown, now.Add(2*settleTime)) {
		t.Error("a file that stays as it is is not settled")
	}
	// The clock of a shared directory may be ahead.
	ahead := at(4, -time.Hour)
	if seen.settled(ahead, now) || !seen.settled(ahead, now.Add(settleTime)) {
		t.Error("a file from the future is not settled once it stays as it is")
	}
	seen.keep(nil)
	if len(seen) > 0 {
		t.Error("a file that is gone is remembered")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
