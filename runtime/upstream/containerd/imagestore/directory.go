package imagestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
)

// readDirectory reads an OCI layout that lies in a directory. Links in it are followed
// only where they stay inside.
func (s *Store) readDirectory(ctx context.Context, directory string) (*contents, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	found := &contents{files: map[string]ocispec.Descriptor{}}
	if _, err := root.Stat(ocispec.ImageLayoutFile); errors.Is(err, fs.ErrNotExist) {
		return nil, refusal.New(refusal.Invalid, "the directory %s is no OCI layout: it has no file %s", directory, ocispec.ImageLayoutFile).
			WithHint("`sandkube image from` makes an image of a directory.")
	}
	found.isLayout = true
	if found.index, err = readFile(root, ocispec.ImageIndexFile); err != nil {
		return nil, err
	}
	sizes, total, err := blobSizes(root)
	if err != nil {
		return nil, err
	}
	read := int64(0)
	for name, size := range sizes {
		if err := s.readBlobFile(ctx, root, name, size, func(bytes int64) {
			s.progress.tell(Report{Phase: Reading, Bytes: read + bytes, TotalBytes: total})
		}); err != nil {
			return nil, err
		}
		read += size
		expected, _ := blobDigest(name)
		found.files[name] = ocispec.Descriptor{Digest: expected, Size: size}
	}
	return found, nil
}

func (s *Store) readBlobFile(ctx context.Context, root *os.Root, name string, size int64, tell func(int64)) error {
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	expected, _ := blobDigest(name)
	return s.put(ctx, name, expected, size, &counting{Reader: file, tell: tell})
}

func readFile(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return readDocument(name, info.Size(), file)
}

// blobSizes lists the blobs of a layout, by path, and the sum of their sizes.
func blobSizes(root *os.Root) (sizes map[string]int64, total int64, err error) {
	sizes = map[string]int64{}
	err = fs.WalkDir(root.FS(), ocispec.ImageBlobsDir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if _, isBlob := blobDigest(filepath.ToSlash(name)); !isBlob || entry.IsDir() {
			return nil
		}
		info, err := root.Stat(name)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return refusal.New(refusal.Invalid, "%s is not a regular file", name)
		}
		sizes[name] = info.Size()
		total += info.Size()
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list the layout's blobs: %w", err)
	}
	return sizes, total, nil
}
