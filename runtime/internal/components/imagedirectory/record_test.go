package imagedirectory

import (
	"path/filepath"
	"testing"
	"time"
)

func TestARecordOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images.json")
	f := file{name: "a.tar", stamp: stamp{SizeBytes: 5, Modified: time.Unix(1_700_000_000, 123)}}
	if err := openRecord(path, "/images").add(f, []string{"example.test/a:1"}); err != nil {
		t.Fatal(err)
	}
	again := openRecord(path, "/images")
	if !again.has(f) || again.images() != 1 {
		t.Errorf("the record has %+v", again.Files)
	}
	changed := f
	changed.Modified = changed.Modified.Add(time.Nanosecond)
	if again.has(changed) {
		t.Error("a file that has changed is taken for the same")
	}
	if openRecord(path, "/elsewhere").has(f) {
		t.Error("a file of another directory is taken for the same")
	}
	again.forgetMissing(map[string]bool{"example.test/b:1": true})
	if again.has(f) {
		t.Error("a file is remembered whose image the node does not have")
	}
	again = openRecord(path, "/images")
	if err := again.keep(nil); err != nil {
		t.Fatal(err)
	}
	if openRecord(path, "/images").has(f) {
		t.Error("a file is remembered that is gone")
	}
}

func TestADamagedRecordIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images.json")
	write(t, path, `{"files": `)
	if found := openRecord(path, "/images"); len(found.Files) > 0 {
		t.Errorf("it has %v", found.Files)
	}
}
