package probe

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMakeScratchRemovesOnlyLeftovers(t *testing.T) {
	data := t.TempDir()
	long := time.Now().Add(-2 * leftoverAge)
	makeOld := func(name string) {
		t.Helper()
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Join(path, "content"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	makeOld(scratchPrefix + "leftover")
	makeOld("another")
	busy := makeScratch(data)
	defer busy.remove()
	if err := os.Chtimes(busy.path, long, long); err != nil {
		t.Fatal(err)
	}
	makeOld(scratchPrefix + "leftover")
	young := filepath.Join(data, scratchPrefix+"young")
	if err := os.Mkdir(young, 0o700); err != nil {
		t.Fatal(err)
	}

	s := makeScratch(data)
	s.remove()
	for path, want := range map[string]bool{
		filepath.Join(data, scratchPrefix+"leftover"): false,
		filepath.Join(data, "another"):                true,
		busy.path:                                     true,
		young:                                         true,
		s.path:                                        false,
	} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s exists: %v, want %v", path, err == nil, want)
		}
	}
}

func TestMakeScratchBelowAMissingDirectory(t *testing.T) {
	parent := t.TempDir()
	s := makeScratch(filepath.Join(parent, "not", "yet", "there"))
	defer s.remove()
	if s.existing != parent || filepath.Dir(s.path) != parent || s.dataErrno != "" {
		t.Errorf("scratch = %+v, want a directory in %s", s, parent)
	}
	s.remove()
	if entries, err := os.ReadDir(parent); err != nil || len(entries) != 0 {
		t.Errorf("left %v (%v)", entries, err)
	}
}

func TestMakeScratchWhereNothingCanBeMade(t *testing.T) {
	s := makeScratch("/proc/self")
	defer s.remove()
	if s.dataErrno == "" || filepath.Dir(s.path) != filepath.Clean(os.TempDir()) {
		t.Errorf("scratch = %+v, want a directory in the temporary directory and an error number", s)
	}
}

func TestRemoveLeftoverGroups(t *testing.T) {
	root := t.TempDir()
	long := time.Now().Add(-2 * leftoverAge)
	for name, want := range map[string]bool{
		leftoverPrefix + "1-1": false,
		"kubepods":             true,
	} {
		path := filepath.Join(root, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
		removeLeftoverGroups(root)
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s exists: %v, want %v", name, err == nil, want)
		}
	}
}
