package imagestore

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// later are the large blobs of an archive or a directory that can be read at any place. They
// are left there until the image's documents have told the order of its layers: a layer is
// then brought in while the one before it is unpacked.
type later struct {
	blobs map[digest.Digest]postponed
	// order is that of the archive.
	order []digest.Digest
	// from is what the blobs are read from.
	from io.Closer
	// doneBytes have been read, of totalBytes of the archive.
	doneBytes, totalBytes atomic.Int64
	// awaited says that nothing goes on but the reading.
	awaited atomic.Bool
}

// postponed is a blob that has not been brought in.
type postponed struct {
	name string
	size int64
	open func() (io.ReadCloser, error)
}

func newLater() *later { return &later{blobs: make(map[digest.Digest]postponed)} }

func (l *later) add(of digest.Digest, blob postponed) {
	if _, known := l.blobs[of]; !known {
		l.order = append(l.order, of)
	}
	l.blobs[of] = blob
}

// Close ends the reading of what the blobs lie in.
func (l *later) Close() error {
	if l.from == nil {
		return nil
	}
	return l.from.Close()
}

// section is a part of a file.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// member makes a blob of the member that a reader of the file has come to; false: it can not
// be read from there as it is.
func member(file *os.File, header *tar.Header) (blob postponed, possible bool) {
	for record := range header.PAXRecords {
		if strings.HasPrefix(record, "GNU.sparse.") {
			return blob, false
		}
	}
	at, err := file.Seek(0, io.SeekCurrent)
	return postponed{name: header.Name, size: header.Size, open: func() (io.ReadCloser, error) {
		return section{io.NewSectionReader(file, at, header.Size)}, nil
	}}, err == nil
}

// bring copies a blob into the content store that has been left for later, if it has been.
func (s *Store) bring(ctx context.Context, of digest.Digest) (err error) {
	blob, found := s.later.blobs[of]
	if !found {
		return nil
	}
	reader, err := blob.open()
	if err != nil {
		return unreadable(err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	before := s.later.doneBytes.Load()
	counted := &counting{Reader: cancellable{ctx, reader}, tell: func(bytes int64) {
		s.later.doneBytes.Store(before + bytes)
		if s.later.awaited.Load() {
			s.progress.tell(Report{Phase: Reading, Bytes: before + bytes, TotalBytes: s.later.totalBytes.Load()})
		}
	}}
	return s.put(ctx, blob.name, of, blob.size, counted)
}

// ahead brings in layers, one after the other, while earlier ones are unpacked. next returns
// when one more of them is there; stop ends it.
func (s *Store) ahead(ctx context.Context, layers []ocispec.Descriptor) (next func() error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	brought := make(chan error, len(layers))
	go func() {
		defer close(brought)
		for _, layer := range layers {
			err := s.bring(ctx, layer.Digest)
			brought <- err
			if err != nil {
				return
			}
		}
	}()
	next = func() error {
		s.later.awaited.Store(true)
		defer s.later.awaited.Store(false)
		return <-brought
	}
	stop = func() {
		cancel()
		for range brought {
		}
	}
	return next, stop
}

// bringRest brings in what no layer of an image for this machine was: an index may name it.
func (s *Store) bringRest(ctx context.Context, admitted []*examined) error {
	var layers []digest.Digest
	for _, image := range admitted {
		for _, layer := range image.manifest.Layers {
			layers = append(layers, layer.Digest)
		}
	}
	s.later.awaited.Store(true)
	defer s.later.awaited.Store(false)
	for _, of := range s.later.order {
		if slices.Contains(layers, of) {
			continue
		}
		if err := s.bring(ctx, of); err != nil {
			return err
		}
	}
	return nil
}

// openBlob opens a blob, wherever it is.
func (s *Store) openBlob(ctx context.Context, of ocispec.Descriptor) (io.ReadCloser, error) {
	if blob, found := s.later.blobs[of.Digest]; found {
		return blob.open()
	}
	reader, err := s.content.ReaderAt(ctx, of)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{content.NewReader(reader), reader}, nil
}

// blobSize is the size of a blob, wherever it is.
func (s *Store) blobSize(ctx context.Context, of digest.Digest) (int64, error) {
	if blob, found := s.later.blobs[of]; found {
		return blob.size, nil
	}
	info, err := s.content.Info(ctx, of)
	return info.Size, err
}
