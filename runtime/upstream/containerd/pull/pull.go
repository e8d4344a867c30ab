package pull

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"sandkube.dev/upstream/containerd/fault"
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

// Failure is why a pull failed: the fault of each host that was asked, the decisive one last.
type Failure struct {
	Faults []*fault.Fault `json:"faults"`
}

// Error implements error.
func (f *Failure) Error() string { return f.decisive().Error() }

func (f *Failure) decisive() *fault.Fault { return f.Faults[len(f.Faults)-1] }

// PlatformError says that an image is there, but not for the platform that is asked for.
type PlatformError struct{ Name, Platform string }

// Error implements error.
func (e *PlatformError) Error() string {
	return fmt.Sprintf("%s has no image for %s", e.Name, e.Platform)
}

// LayerError says that a layer becomes too large when it is unpacked.
type LayerError struct{ Name, Reason string }

// Error implements error.
func (e *LayerError) Error() string {
	return fmt.Sprintf("a layer of %s becomes too large: %s", e.Name, e.Reason)
}

// SpaceError says that there is no space for an image, of which so much was announced.
type SpaceError struct {
	Name            string
	CompressedBytes int64
}

// Error implements error.
func (e *SpaceError) Error() string {
	return fmt.Sprintf("no space is left for %s, whose layers have %d bytes before they are unpacked", e.Name, e.CompressedBytes)
}

// Listener is told how a pull goes on.
type Listener interface {
	Progress(Progress)
	// Retry says that the next attempt follows after a delay, and why.
	Retry(because string, delay time.Duration)
}

// Pull pulls and unpacks an image, with several attempts where that may help. The error is a
// *Failure where a registry or the way to it is the cause.
func Pull(ctx context.Context, request Request, listener Listener) (_ *Result, err error) {
	named, err := ParseReference(request.Reference)
	if err != nil {
		return nil, err
	}
	platform := platforms.DefaultSpec()
	if request.Platform != "" {
		if platform, err = platforms.Parse(request.Platform); err != nil {
			return nil, &InvalidError{Message: fmt.Sprintf("%q is not a platform: %v", request.Platform, err)}
		}
	}
	accounts, err := NewAccounts(request.Account, request.AccountsDirectory)
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
	options := config.HostOptions{
		HostDir:      config.HostDirFromRoot(p.request.HostsDirectory),
		Credentials:  p.accounts.Find,
		UpdateClient: p.recorder.Watch,
	}
	if p.request.Insecure {
		// containerd then tries HTTPS first and HTTP where that is not spoken.
		options.DefaultScheme = "http"
		options.DefaultTLS = &tls.Config{InsecureSkipVerify: true}
	}
	image, err := p.client.Pull(ctx, p.name.String(),
		client.WithResolver(resolver{
			Resolver: docker.NewResolver(docker.ResolverOptions{Hosts: config.ConfigureHosts(ctx, options)}),
			meter:    p.meter,
			host:     reference.Domain(p.name),
		}),
		client.WithPlatformMatcher(p.platform),
		client.WithPullSnapshotter(p.request.Snapshotter),
		client.WithPullUnpack,
		client.WithUnpackOpts([]client.UnpackOpt{client.WithUnpackApplyOpts(unpackstream.WithLimit(p.request.UnpackLimitBytes)...)}),
		client.WithImageHandlerWrapper(func(inner images.Handler) images.Handler {
			return p.meter.handler(p.checkPlatform(inner))
		}),
	)
	if err != nil {
		return nil, p.explain(ctx, err)
	}
	// Content that was here already has not been counted.
	total := p.meter.progress().TotalBytes
	p.listener.Progress(Progress{DoneBytes: total, TotalBytes: total})
	return &Result{Name: image.Name(), Digest: image.Target().Digest.String(), SizeBytes: total}, nil
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
			return nil, &PlatformError{Name: p.name.String(), Platform: p.platformName}
		}
		return children, nil
	})
}

// explain finds what is behind a failed attempt.
func (p *puller) explain(ctx context.Context, err error) error {
	var platform *PlatformError
	if ctx.Err() != nil || errors.As(err, &platform) {
		return err
	}
	var silence *fault.Fault
	if errors.As(err, &silence) {
		return &Failure{Faults: []*fault.Fault{silence}}
	}
	if strings.Contains(err.Error(), unpackstream.TooLarge) {
		_, why, _ := strings.Cut(err.Error(), unpackstream.TooLarge+": ")
		return &LayerError{Name: p.name.String(), Reason: why}
	}
	if strings.Contains(err.Error(), unix.ENOSPC.Error()) {
		return &SpaceError{Name: p.name.String(), CompressedBytes: p.meter.progress().TotalBytes}
	}
	if faults := p.recorder.Faults(); len(faults) > 0 {
		return &Failure{Faults: faults}
	}
	if errdefs.IsNotFound(err) {
		// Every host has answered, and yet there is nothing: an index without this platform.
		return &PlatformError{Name: p.name.String(), Platform: p.platformName}
	}
	return err
}
