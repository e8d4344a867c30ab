package imagestore

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/refusal"
	"sandkube.dev/upstream/containerd/unpackstream"
)

// contents is what has been found in an archive or a directory. Its blobs are in the
// content store.
type contents struct {
	isLayout       bool   // it has the marker of an OCI layout
	index          []byte // index.json of an OCI layout
	dockerManifest []byte // manifest.json of `docker save`
	// files and links are of an archive without a layout, by their cleaned paths.
	files map[string]ocispec.Descriptor
	links map[string]string
}

// readArchive reads a tar stream, plain or compressed, to its end.
func (s *Store) readArchive(ctx context.Context, stream io.Reader) (*contents, error) {
	plain, err := unpackstream.Decompress(stream)
	if err != nil {
		return nil, explainRead(err, true)
	}
	defer func() { _ = plain.Close() }()
	found := &contents{files: map[string]ocispec.Descriptor{}, links: map[string]string{}}
	members := tar.NewReader(plain)
	for first := true; ; first = false {
		header, err := members.Next()
		if errors.Is(err, io.EOF) && first {
			return nil, refusal.New(refusal.Invalid, "the archive is empty")
		}
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, explainRead(err, first)
		}
		if err := s.readMember(ctx, found, header, members); err != nil {
			return nil, explainRead(err, false)
		}
	}
}

func (s *Store) readMember(ctx context.Context, found *contents, header *tar.Header, from io.Reader) (err error) {
	name := path.Clean(header.Name)
	switch header.Typeflag {
	case tar.TypeSymlink:
		found.links[name] = path.Join(path.Dir(name), header.Linkname)
		return nil
	case tar.TypeLink:
		found.links[name] = path.Clean(header.Linkname)
		return nil
	case tar.TypeReg:
	default:
		return nil
	}
	switch name {
	case ocispec.ImageLayoutFile:
		found.isLayout = true
		return nil
	case ocispec.ImageIndexFile:
		found.index, err = readDocument(name, header.Size, from)
		return err
	case "manifest.json":
		found.dockerManifest, err = readDocument(name, header.Size, from)
		return err
	}
	if expected, isBlob := blobDigest(name); isBlob {
		found.files[name] = ocispec.Descriptor{Digest: expected, Size: header.Size}
		return s.put(ctx, name, expected, header.Size, from)
	}
	// Beside them, `docker save` writes descriptions of a form that is not used any more.
	if strings.HasSuffix(name, ".tar") || strings.HasSuffix(name, ".json") {
		stored, err := s.putUnnamed(ctx, name, header.Size, from)
		found.files[name] = ocispec.Descriptor{Digest: stored, Size: header.Size}
		return err
	}
	return nil
}

// blobDigest is the digest that the path of a blob in an OCI layout names.
func blobDigest(name string) (digest.Digest, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != ocispec.ImageBlobsDir {
		return "", false
	}
	named := digest.NewDigestFromEncoded(digest.Algorithm(parts[1]), parts[2])
	return named, named.Validate() == nil
}

func readDocument(name string, size int64, from io.Reader) ([]byte, error) {
	if size > documentLimit {
		return nil, refusal.New(refusal.Invalid, "%s has %s, which is more than the limit of %s", name, formatBytes(size), formatBytes(documentLimit))
	}
	return io.ReadAll(from)
}

// explainRead says what is wrong with an archive that can not be read.
func explainRead(err error, first bool) error {
	var path *os.PathError
	if refusal.Is(err) || errors.Is(err, context.Canceled) || errors.As(err, &path) {
		return err
	}
	var damaged flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refusal.New(refusal.Invalid, "the archive is cut off")
	case errors.Is(err, tar.ErrHeader) && first:
		return refusal.New(refusal.Invalid, "this is not a tar archive")
	case errors.Is(err, tar.ErrHeader):
		return refusal.New(refusal.Invalid, "the archive is damaged: a tar header is malformed")
	case errors.As(err, &damaged), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, zstd.ErrMagicMismatch), errors.Is(err, zstd.ErrUnexpectedBlockSize):
		return refusal.New(refusal.Invalid, "the archive is damaged: %v", err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return refusal.New(refusal.Invalid, "the archive wants more than %s of memory to be decompressed", formatBytes(unpackstream.ZstdWindowLimit)).
			WithHint("Compress it without --long.")
	default:
		return err
	}
}
