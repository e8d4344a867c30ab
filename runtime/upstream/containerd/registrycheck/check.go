// Package registrycheck goes the way to an image in a registry step by step, as a pull does,
// and says of each step what it found.
package registrycheck

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	refspec "github.com/containerd/containerd/v2/pkg/reference"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/pull"
	"sandkube.dev/upstream/containerd/refusal"
	"sandkube.dev/upstream/containerd/registryclient"
)

// Step is one step of the way to a host, done or failed.
type Step struct {
	// Name is "name-lookup", "connect", "tls", "ping", "token", "manifest" or "blob".
	Name string `json:"name"`
	// Host is the registry or mirror that the way leads to.
	Host string `json:"host"`
	// Detail says what was found.
	Detail string `json:"detail"`
	// Fault is nil for a step that succeeded.
	Fault *fault.Fault `json:"fault,omitempty"`
}

// Run tries the registry of the reference and its mirrors in the order of a pull, until one
// gives the image. The error is a *refusal.Refusal if none does.
func Run(ctx context.Context, request pull.Request, tell func(Step)) error {
	named, err := pull.ParseReference(request.Reference)
	if err != nil {
		return err
	}
	accounts, err := pull.NewAccounts(request.Account, request.AccountsFile)
	if err != nil {
		return err
	}
	recorder := &fault.Recorder{}
	hosts, err := registryclient.Hosts(ctx, registryclient.Settings{
		HostsDirectory: request.HostsDirectory,
		Account:        accounts.Find,
		Recorder:       recorder,
		Insecure:       request.Insecure,
	})(reference.Domain(named))
	if err != nil {
		return err
	}
	var faults []*fault.Fault
	for _, host := range hosts {
		w := &way{host: host, name: named, recorder: recorder, tell: tell}
		found := w.walk(ctx)
		if found == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		faults = append(faults, found)
	}
	if len(faults) == 0 {
		return errors.New("the registries configuration names no host for it")
	}
	return refusal.OfFaults(named.String(), faults)
}

// way is the way to one host.
type way struct {
	host     docker.RegistryHost
	name     reference.Named
	recorder *fault.Recorder
	tell     func(Step)
}

// walk goes step by step up to the first that fails, and returns its fault.
func (w *way) walk(ctx context.Context) *fault.Fault {
	challenge, found := w.ping(ctx)
	if found != nil {
		return found
	}
	spec, err := refspec.Parse(w.name.String())
	if err != nil {
		return w.failed("manifest", err)
	}
	scoped, err := docker.ContextWithRepositoryScope(ctx, spec, false)
	if err != nil {
		return w.failed("token", err)
	}
	if challenge != nil {
		w.recorder.Forget()
		if err := w.authorize(scoped, challenge); err != nil {
			return w.failed("token", err)
		}
		w.done("token", "the registry lets this account, or whoever has none, in")
	}
	resolver := docker.NewResolver(docker.ResolverOptions{
		Hosts: func(string) ([]docker.RegistryHost, error) { return []docker.RegistryHost{w.host}, nil },
	})
	w.recorder.Forget()
	name, descriptor, err := resolver.Resolve(ctx, w.name.String())
	if err != nil {
		return w.failed("manifest", err)
	}
	fetcher, err := resolver.Fetcher(ctx, name)
	if err != nil {
		return w.failed("manifest", err)
	}
	manifest, err := readManifest(ctx, fetcher, descriptor)
	if err != nil {
		return w.failed("manifest", err)
	}
	w.done("manifest", fmt.Sprintf("%s, layers: %d", descriptor.Digest, len(manifest.Layers)))
	w.recorder.Forget()
	blob := manifest.Config
	if len(manifest.Layers) > 0 {
		blob = manifest.Layers[0]
	}
	if err := firstByte(ctx, fetcher, blob); err != nil {
		return w.failed("blob", err)
	}
	w.done("blob", fmt.Sprintf("the first of %d bytes of %s", blob.Size, blob.Digest))
	return nil
}

func (w *way) done(step, detail string) {
	w.tell(Step{Name: step, Host: w.host.Host, Detail: detail})
}

// failed tells of a step that failed by what was seen on the wire, or else by an error.
func (w *way) failed(step string, err error) *fault.Fault {
	found := &fault.Fault{Kind: fault.Broken, Host: w.host.Host, Message: err.Error()}
	if errors.Is(err, docker.ErrInvalidAuthorization) {
		found.Kind = fault.Unauthorized
	}
	if faults := w.recorder.Faults(); len(faults) > 0 {
		found = faults[len(faults)-1]
	}
	w.tell(Step{Name: step, Host: w.host.Host, Detail: found.Message, Fault: found})
	return found
}

// firstByte opens a blob, wherever the registry leads to, and reads its beginning.
func firstByte(ctx context.Context, fetcher remotes.Fetcher, blob descriptor) (err error) {
	reader, err := fetcher.Fetch(ctx, blob)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	_, err = io.ReadFull(reader, make([]byte, 1))
	return err
}

// readManifest reads the manifest for this machine, by way of an index if there is one.
func readManifest(ctx context.Context, fetcher remotes.Fetcher, from descriptor) (manifest, error) {
	var read manifest
	if images.IsIndexType(from.MediaType) {
		var listed index
		if err := fetchJSON(ctx, fetcher, from, &listed); err != nil {
			return read, err
		}
		here := platforms.Default()
		for _, entry := range listed.Manifests {
			if entry.Platform != nil && here.Match(*entry.Platform) {
				return read, fetchJSON(ctx, fetcher, entry, &read)
			}
		}
		return read, fmt.Errorf("the image is not for %s", platforms.DefaultString())
	}
	return read, fetchJSON(ctx, fetcher, from, &read)
}
