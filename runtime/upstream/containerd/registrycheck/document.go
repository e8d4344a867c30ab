package registrycheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/remotes"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

type (
	descriptor = ocispec.Descriptor
	manifest   = ocispec.Manifest
	index      = ocispec.Index
)

// maxDocumentBytes is what registries have to accept of a manifest (OCI distribution
// specification, "Pushing Manifests").
const maxDocumentBytes = 4 << 20

// fetchJSON reads a document and checks its digest.
func fetchJSON(ctx context.Context, fetcher remotes.Fetcher, from descriptor, into any) (err error) {
	reader, err := fetcher.Fetch(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	data, err := io.ReadAll(io.LimitReader(reader, maxDocumentBytes))
	if err != nil {
		return err
	}
	if found := from.Digest.Algorithm().FromBytes(data); found != from.Digest {
		return fmt.Errorf("the content of %s has the digest %s", from.Digest, found)
	}
	return json.Unmarshal(data, into)
}
