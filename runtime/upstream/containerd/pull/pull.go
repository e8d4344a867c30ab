package pull

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/imagestore"
	"sandkube.dev/upstream/containerd/refusal"
	"sandkube.dev/upstream/containerd/registryclient"
	"sandkube.dev/upstream/containerd/unpackstream"
)

// namespace is that of all that the kubelet sees.
const namespace = "k8s.io"

// progressInterval is how often it is told how far a pull is.
const progressInterval = 250 * time.Millisecond

// Result is an image that has been pulled.
type Result struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// SizeBytes is the size of all of its content, compressed as it is in the registry.
	SizeBytes int64 `json:"sizeBytes"`
}

// Listener is told how a pull goes on.
type Listener interface {
	Progress(Progress)
	// Retry says that the next attempt follows after a delay, and why.
	Retry(because string, delay time.Duration)
}

// Pull pulls and unpacks an image, with several attempts where that may help. The error is a
// *refusal.Refusal where people can do something about it.
func Pull(ctx context.Context, request Request, listener Listener) (_ *Result, err error) {
	named, err := ParseReference(request.Reference)
	if err != nil {
		return nil, err
	}
	platform := platforms.DefaultSpec()
	if request.Platform != "" {
		if platform, err = platforms.Parse(request.Platform); err != nil {
			return nil, refusal.New(refusal.Usage, "%q is not a platform: %v", request.Platform, err)
		}
	}
	accounts, err := NewAccounts(request.Account, request.AccountsFile)
	if err != nil {
		return nil, err
	}
	c, err := client.New(request.Socket, client.WithDefaultNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	p := &puller{
		request: request, name: named, client: c, accounts: accounts, listener: listener,
		platform: platforms.Only(platform), platformName: platforms.FormatAll(platform),
		recorder: &fault.Recorder{}, meter: newMeter(),
	}
	stop := p.tellProgress(ctx)
	defer stop()
	return p.untilDone(ctx)
}

type puller struct {
	request      Request
	name         reference.Named
	client       *client.Client
	accounts     *Accounts
	listener     Listener
	platform     platforms.MatchComparer
	platformName string
	recorder     *fault.Recorder
	meter        *meter
}

// tellProgress tells how far the pull is until the returned function has been called.
func (p *puller) tellProgress(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.listener.Progress(p.meter.progress())
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// attempt pulls once.
func (p *puller) attempt(ctx context.Context) (*Result, error) {
	p.recorder.Forget()
	hosts := registryclient.Hosts(ctx, registryclient.Settings{
		HostsDirectory: p.request.HostsDirectory,
		Account:        p.accounts.Find,
		Recorder:       p.recorder,
		Insecure:       p.request.Insecure,
	})
	options := []client.RemoteOpt{
		client.WithResolver(resolver{
			Resolver: docker.NewResolver(docker.ResolverOptions{Hosts: hosts}),
			meter:    p.meter,
			host:     reference.Domain(p.name),
		}),
		client.WithPlatformMatcher(p.platform),
		client.WithImageHandlerWrapper(func(inner images.Handler) images.Handler {
			return p.meter.handler(p.checkPlatform(inner))
		}),
	}
	image, err := p.bring(ctx, options)
	if err != nil {
		return nil, p.explain(ctx, err)
	}
	// Content that was here already has not been counted.
	total := p.meter.progress().TotalBytes
	p.listener.Progress(Progress{DoneBytes: total, TotalBytes: total})
	return &Result{Name: image.Name(), Digest: image.Target().Digest.String(), SizeBytes: total}, nil
}

// bring pulls and unpacks, in the way that the snapshotter makes cheaper.
func (p *puller) bring(ctx context.Context, options []client.RemoteOpt) (client.Image, error) {
	if !imagestore.UnpacksWhole(p.request.Snapshotter) {
		limit := client.WithUnpackApplyOpts(unpackstream.WithLimit(p.request.UnpackLimitBytes)...)
		options = append(options,
			client.WithPullSnapshotter(p.request.Snapshotter), client.WithPullUnpack, client.WithUnpackOpts([]client.UnpackOpt{limit}))
		return p.client.Pull(ctx, p.name.String(), options...)
	}
	store, err := imagestore.Open(ctx, p.request.Socket, p.request.Snapshotter, imagestore.NewProgress(func(imagestore.Report) {}))
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	store.UnpackLimitBytes = p.request.UnpackLimitBytes
	pulled, err := store.BeforePull(imagestore.Context(ctx), p.name.String())
	if err != nil {
		return nil, err
	}
	image, err := p.client.Pull(ctx, p.name.String(), options...)
	if err != nil {
		return nil, err
	}
	return image, pulled.Unpack(imagestore.Context(ctx), p.platform)
}

// checkPlatform refuses an image whose own configuration says that it is for another
// platform, before it gets a name: an index is not the only place that can tell.
func (p *puller) checkPlatform(inner images.Handler) images.Handler {
	return images.HandlerFunc(func(ctx context.Context, descriptor ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		children, err := inner.Handle(ctx, descriptor)
		if err != nil || !images.IsConfigType(descriptor.MediaType) {
			return children, err
		}
		is, err := images.ConfigPlatform(ctx, p.client.ContentStore(), descriptor)
		if err != nil {
			return nil, fmt.Errorf("configuration of the image: %w", err)
		}
		if !p.platform.Match(is) {
			return nil, wrongPlatform(p.platformName)
		}
		return children, nil
	})
}

// explain finds what is behind a failed attempt.
func (p *puller) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return Explain(err, Circumstances{
		Reference: p.name.String(), Platform: p.platformName,
		Faults: p.recorder.Faults(), CompressedBytes: p.meter.progress().TotalBytes,
	})
}
