package imagedirectory

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"k8s.io/klog/v2"
)

// heard keeps the latest news.
type heard struct {
	message  string
	problems []string
}

func (h *heard) ServiceNews(_ string, _ bool, message string, problems []string) {
	h.message, h.problems = message, problems
}

// scene is a watch of a directory, of whose files those fail whose content says so.
type scene struct {
	*watch
	*heard
	brought []string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{heard: &heard{}}
	imported := openRecord(filepath.Join(t.TempDir(), "images.json"), t.Name())
	s.watch = &watch{
		directory: t.TempDir(), accepts: isArchive, record: imported,
		news: &bulletin{reporter: s.heard, log: klog.Background(), records: []*record{imported}},
		bring: func(_ context.Context, f file, _ func(string)) ([]string, error) {
			s.brought = append(s.brought, f.name)
			content, err := os.ReadFile(f.path)
			switch {
			case err != nil:
				return nil, err
			case string(content) == "refused":
				return nil, &refusedError{"the archive is cut off"}
			case string(content) == "unlucky":
				return nil, errors.New("containerd has ended")
			}
			return []string{"example.test/" + f.name}, nil
		},
	}
	return s
}

// put writes a file that is old enough to be read.
func (s *scene) put(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(s.directory, name)
	write(t, path, content)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) expect(t *testing.T, brought, problems []string) {
	t.Helper()
	if !slices.Equal(s.brought, brought) || !slices.Equal(s.problems, problems) {
		t.Errorf("read %v with problems %v, want %v with %v", s.brought, s.problems, brought, problems)
	}
	s.brought = nil
}

func TestAFileIsReadOnce(t *testing.T) {
	s := newScene(t)
	s.put(t, "a.tar", "good")
	s.put(t, "b.tar", "refused")
	const problem = "b.tar: the archive is cut off"
	s.pass(t.Context())
	s.expect(t, []string{"a.tar", "b.tar"}, []string{problem})
	s.pass(t.Context())
	s.expect(t, nil, []string{problem})
	s.put(t, "b.tar", "mended")
	s.pass(t.Context())
	s.expect(t, []string{"b.tar"}, nil)
	if s.message != "2 images" {
		t.Errorf("the message is %q", s.message)
	}
}

func TestTheProblemOfAFileGoesWithIt(t *testing.T) {
	s := newScene(t)
	s.put(t, "b.tar", "refused")
	s.pass(t.Context())
	if err := os.Remove(filepath.Join(s.directory, "b.tar")); err != nil {
		t.Fatal(err)
	}
	s.pass(t.Context())
	s.expect(t, []string{"b.tar"}, nil)
}

func TestADirectoryMayAppearLater(t *testing.T) {
	s := newScene(t)
	if err := os.Remove(s.directory); err != nil {
		t.Fatal(err)
	}
	s.pass(t.Context())
	if !s.missing {
		t.Error("the directory is not missing")
	}
	s.expect(t, nil, nil)
	if err := os.Mkdir(s.directory, 0o755); err != nil {
		t.Fatal(err)
	}
	s.put(t, "a.tar", "good")
	s.pass(t.Context())
	s.expect(t, []string{"a.tar"}, nil)
}

func TestWhatIsNotTheFilesFaultIsTriedAgain(t *testing.T) {
	s := newScene(t)
	s.put(t, "a.tar", "unlucky")
	for range maxAttempts + 2 {
		s.pass(t.Context())
	}
	if len(s.brought) != maxAttempts {
		t.Errorf("it was tried %d times", len(s.brought))
	}
}

func TestAFileThatIsBeingWrittenWaits(t *testing.T) {
	s := newScene(t)
	write(t, filepath.Join(s.directory, "a.tar"), "good")
	if !s.pass(t.Context()) {
		t.Error("the file counts as settled")
	}
	s.expect(t, nil, nil)
	s.put(t, "a.tar", "good")
	if s.pass(t.Context()) {
		t.Error("the file does not count as settled")
	}
	s.expect(t, []string{"a.tar"}, nil)
}
