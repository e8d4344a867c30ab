// Package podpull is how pods' images are pulled: by containerd, but with the registry
// client of `image pull`, so that a pull that fails says why and what to do.
package podpull

import (
	"context"
	"errors"

	"github.com/containerd/containerd/v2/core/transfer"
	"github.com/containerd/containerd/v2/core/transfer/image"
	"github.com/containerd/containerd/v2/core/transfer/registry"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/log"
	"github.com/containerd/platforms"
	"github.com/containerd/plugin"
	pluginregistry "github.com/containerd/plugin/registry"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/imagestore"
	"sandkube.dev/upstream/containerd/pull"
	"sandkube.dev/upstream/containerd/refusal"
)

// Register puts this in front of the service that pulls for the CRI. accountsFile is what
// registryconfig.WriteAccounts wrote.
func Register(accountsFile string) {
	everything := func(*plugin.Registration) bool { return false }
	all := pluginregistry.Graph(everything)
	pluginregistry.Reset()
	for i := range all {
		if all[i].Type == plugins.TransferPlugin {
			all[i].InitFn = explaining(all[i].InitFn, accountsFile)
		}
		pluginregistry.Register(&all[i])
	}
}

// explaining makes a transfer service that explains what another one returns.
func explaining(initialize func(*plugin.InitContext) (any, error), accountsFile string) func(*plugin.InitContext) (any, error) {
	return func(initial *plugin.InitContext) (any, error) {
		instance, err := initialize(initial)
		if err != nil {
			return nil, err
		}
		service, ok := instance.(transfer.Transferrer)
		if !ok {
			return nil, errors.New("containerd's transfer service has another interface than it is known to have")
		}
		address := initial.Properties[plugins.PropertyGRPCAddress]
		return &transferrer{Transferrer: service, accountsFile: accountsFile, address: address}, nil
	}
}

type transferrer struct {
	transfer.Transferrer
	accountsFile string
	// address is this containerd's own.
	address string
}

// Transfer implements transfer.Transferrer.
func (t *transferrer) Transfer(ctx context.Context, from, to any, options ...transfer.Opt) error {
	asked, isPull := from.(*registry.OCIRegistry)
	if !isPull {
		return t.Transferrer.Transfer(ctx, from, to, options...)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	recorder := &fault.Recorder{}
	source, err := newSource(ctx, asked, t.accountsFile, recorder)
	if err != nil {
		return err
	}
	err = t.bring(ctx, source, to, options)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return explain(ctx, err, pull.Circumstances{
		Reference: asked.Image(),
		Platform:  platforms.FormatAll(platforms.DefaultSpec()),
		Faults:    recorder.Faults(),
	})
}

// bring pulls and, where the service itself does not unpack the image as it is best, unpacks it.
func (t *transferrer) bring(ctx context.Context, from *source, to any, options []transfer.Opt) (err error) {
	into, isImage := to.(*destination)
	snapshotter := snapshotterOf(to)
	if !isImage || !imagestore.UnpacksWhole(snapshotter) {
		return t.Transferrer.Transfer(ctx, from, to, options...)
	}
	store, err := imagestore.Open(ctx, t.address, snapshotter, imagestore.NewProgress(func(imagestore.Report) {}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	pulled, err := store.BeforePull(ctx, from.reference)
	if err != nil {
		return err
	}
	if err := t.Transferrer.Transfer(ctx, from, withoutUnpacking{into}, options...); err != nil {
		return err
	}
	return pulled.Unpack(ctx, platforms.Default())
}

// withoutUnpacking is a destination whose images are not unpacked on the way. containerd's
// transfer service fails where it is to unpack with a snapshotter that it is not set up for.
type withoutUnpacking struct{ *destination }

// destination is embedded by this name since it has a method Store.
type destination = image.Store

// UnpackPlatforms implements transfer.ImageUnpacker.
func (withoutUnpacking) UnpackPlatforms() []transfer.UnpackConfiguration { return nil }

// snapshotterOf is what the image is to be unpacked by; empty: it is not to be unpacked.
func snapshotterOf(to any) string {
	unpacker, ok := to.(transfer.ImageUnpacker)
	if !ok {
		return ""
	}
	for _, configuration := range unpacker.UnpackPlatforms() {
		return configuration.Snapshotter
	}
	return ""
}

// explain puts what people can do about an error into its text.
func explain(ctx context.Context, cause error, circumstances pull.Circumstances) error {
	var refused *refusal.Refusal
	if !errors.As(pull.Explain(cause, circumstances), &refused) {
		return cause
	}
	log.G(ctx).WithError(cause).Infof("the pull of %s failed", circumstances.Reference)
	return &explained{text: refused.Text(), cause: cause}
}

// explained is an error in other words. Its kind stays, by which the CRI chooses a code.
type explained struct {
	text  string
	cause error
}

// Error implements error.
func (e *explained) Error() string { return e.text }

// Unwrap gives the cause.
func (e *explained) Unwrap() error { return e.cause }
