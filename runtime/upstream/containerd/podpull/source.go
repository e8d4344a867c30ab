package podpull

import (
	"context"
	"fmt"
	"net/http"

	transferapi "github.com/containerd/containerd/api/types/transfer"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/transfer"
	"github.com/containerd/containerd/v2/core/transfer/registry"
	"github.com/containerd/typeurl/v2"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/registryclient"
	"sandkube.dev/upstream/containerd/registryconfig"
)

// source gives the same image as containerd's OCIRegistry, asked for by registryclient.
type source struct {
	reference string
	resolver  remotes.Resolver
}

// newSource takes from an OCIRegistry what it was made of, by the form in which it is sent
// to other processes. The context ends when the source is not used any more.
func newSource(ctx context.Context, asked *registry.OCIRegistry, accountsFile string, recorder *fault.Recorder) (*source, error) {
	given := newDialogue(ctx)
	sent, err := asked.MarshalAny(ctx, given)
	if err != nil {
		return nil, fmt.Errorf("take over a pull: %w", err)
	}
	var message transferapi.OCIRegistry
	if err := typeurl.UnmarshalTo(sent, &message); err != nil {
		return nil, fmt.Errorf("take over a pull: %w", err)
	}
	onFile, err := registryconfig.ReadAccounts(accountsFile)
	if err != nil {
		return nil, err
	}
	accounts := &accounts{reference: asked.Image(), onFile: onFile}
	if message.GetResolver().GetAuthStream() != "" {
		accounts.given = given
	}
	headers := make(http.Header)
	for name, value := range message.GetResolver().GetHeaders() {
		headers.Set(name, value)
	}
	hosts := registryclient.Hosts(ctx, registryclient.Settings{
		HostsDirectory: message.GetResolver().GetHostDir(),
		Account:        accounts.find,
		Recorder:       recorder,
	})
	resolver := docker.NewResolver(docker.ResolverOptions{Hosts: hosts, Headers: headers})
	return &source{reference: asked.Image(), resolver: resolver}, nil
}

// String implements fmt.Stringer.
func (s *source) String() string { return fmt.Sprintf("registry of %s", s.reference) }

// Resolve implements transfer.ImageResolver.
func (s *source) Resolve(ctx context.Context) (string, ocispec.Descriptor, error) {
	return s.resolver.Resolve(ctx, s.reference)
}

// Fetcher implements transfer.ImageFetcher.
func (s *source) Fetcher(ctx context.Context, reference string) (transfer.Fetcher, error) {
	return s.resolver.Fetcher(ctx, reference)
}

// SetResolverOptions implements transfer.ImageResolverOptionSetter.
func (s *source) SetResolverOptions(options ...transfer.ImageResolverOption) {
	if resolver, ok := s.resolver.(remotes.ResolverWithOptions); ok {
		resolver.SetOptions(options...)
	}
}
