package imagestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"

	"sandkube.dev/upstream/containerd/refusal"
)

// Saved tells what was written.
type Saved struct {
	Names     []string `json:"names"`
	SizeBytes int64    `json:"sizeBytes"`
}

// Save writes images into one archive, which has the forms of OCI and of Docker: of
// this machine's platform, with the layers as they were brought in. A file is there
// whole or not at all; with the path "-" the archive goes to the output, which is closed.
func (s *Store) Save(ctx context.Context, names []string, path string, output func() io.WriteCloser) (Saved, error) {
	saved := Saved{Names: []string{}}
	var targets []images.Image
	for _, name := range names {
		image, err := s.get(ctx, name)
		if err != nil {
			return Saved{}, err
		}
		targets = append(targets, image)
		saved.Names = append(saved.Names, image.Name)
	}
	var err error
	saved.SizeBytes, err = s.write(ctx, targets, path, output)
	return saved, err
}

// write writes images into an archive, whether the node has names for them or not, and
// returns its size.
func (s *Store) write(ctx context.Context, targets []images.Image, path string, output func() io.WriteCloser) (int64, error) {
	total, written := int64(0), int64(0)
	for _, target := range targets {
		whole, err := s.examine(ctx, target.Target)
		if err != nil {
			return 0, err
		}
		total += whole.sizeBytes()
	}
	export := func(out io.Writer) error {
		counted := &countingWriter{Writer: out, tell: func(bytes int64) {
			s.progress.tell(Report{Phase: Writing, Bytes: bytes, TotalBytes: total})
		}}
		err := archive.Export(ctx, s.content, counted, archive.WithPlatform(s.platform), archive.WithImages(targets))
		written = counted.bytes
		return err
	}
	var err error
	if path == "-" {
		to := output()
		err = errors.Join(export(to), to.Close())
	} else {
		err = replaceFile(path, export)
	}
	return written, explainSave(path, err)
}

func explainSave(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case refusal.IsNoSpace(err):
		return refusal.New(refusal.Space, "no space is left for %s", path)
	default:
		return fmt.Errorf("write %s: %w", path, err)
	}
}

// replaceFile writes a file beside the target and renames it, so that a reader sees the
// whole file or the one before.
func replaceFile(target string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(target), ".sandkube-image-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	buffered := bufio.NewWriterSize(file, 1<<20)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), target)
}

// countingWriter tells of each byte that is written through it.
type countingWriter struct {
	io.Writer
	bytes int64
	tell  func(bytes int64)
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.bytes += int64(n)
	c.tell(c.bytes)
	return n, err
}
