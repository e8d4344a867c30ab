package imagestore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

// apartLimit is how many layers are unpacked at the same time, where there are as many processors.
const apartLimit = 4

// apart unpacks layers at the same time, each into a snapshot that gets the layers below it as
// its parents when it is committed. A layer can be unpacked so if it has an entry for each
// directory that it has files in: else the attributes of a directory are those in a layer below.
// The node's containerd, which is patched for it, refuses other layers.
type apart struct {
	store *Store
	image *examined
	// names are those of all of the image's snapshots.
	names []string
	// first is the number of the lowest layer that the node does not have unpacked.
	first  int
	layers []apartLayer
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// apartLayer may be looked at when done is closed.
type apartLayer struct {
	done chan struct{}
	// key is that of the snapshot with the layer; "": there is none.
	key string
}

// unpackApart begins to unpack the layers that the node does not have unpacked.
func (s *Store) unpackApart(ctx context.Context, image *examined) (*apart, error) {
	a := &apart{store: s, image: image, names: chainIDs(image.config.RootFS.DiffIDs)}
	for a.first < len(a.names) {
		_, err := s.snapshots.Stat(ctx, a.names[a.first])
		if errdefs.IsNotFound(err) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("look for the snapshot %s: %w", a.names[a.first], err)
		}
		a.first++
	}
	a.layers = make([]apartLayer, len(a.names))
	for number := range a.layers {
		a.layers[number].done = make(chan struct{})
	}
	ctx, a.cancel = context.WithCancel(ctx)
	a.work.Go(func() { a.run(ctx) })
	return a, nil
}

func (a *apart) run(ctx context.Context) {
	slots := make(chan struct{}, min(runtime.GOMAXPROCS(0), apartLimit))
	for number := a.first; number < len(a.layers); number++ {
		slots <- struct{}{}
		a.work.Go(func() {
			defer func() { <-slots }()
			defer close(a.layers[number].done)
			a.layers[number].key = a.unpack(ctx, number)
		})
	}
}

// unpack returns the key of the snapshot with a layer, or nothing if the layer can not be
// unpacked so: the other way either can, or says why not.
func (a *apart) unpack(ctx context.Context, number int) (key string) {
	if ctx.Err() != nil {
		return ""
	}
	key = fmt.Sprintf(snapshots.UnpackKeyFormat, writeName(ctx, strconv.Itoa(number)), a.names[number])
	isLowest := number == a.first
	parent := ""
	if isLowest && number > 0 {
		parent = a.names[number-1]
	}
	mounts, err := a.store.snapshots.Prepare(ctx, key, parent)
	if err != nil {
		return ""
	}
	if !isLowest {
		mounts = onlyUpper(mounts)
	}
	if err := a.store.apply(ctx, a.image, number, mounts); err != nil {
		// What is left of it then goes with the lease.
		_ = a.store.abandon(ctx, key)
		return ""
	}
	return key
}

// onlyUpper turns the mount of a directory into that of an overlay's upper one, in which
// whiteouts are kept and not carried out.
func onlyUpper(mounts []mount.Mount) []mount.Mount {
	upper := make([]mount.Mount, len(mounts))
	for i, one := range mounts {
		upper[i] = mount.Mount{Type: "overlay", Source: "overlay", Options: []string{"upperdir=" + one.Source}}
	}
	return upper
}

// commit keeps the snapshot of a layer on that of the one below it, and says so. Else the layer
// is to be unpacked in the other way.
func (a *apart) commit(ctx context.Context, number int) bool {
	if number < a.first {
		return false
	}
	layer := &a.layers[number]
	<-layer.done
	if layer.key == "" {
		return false
	}
	var options []snapshots.Opt
	if number > a.first {
		options = append(options, snapshots.WithParent(a.names[number-1]))
	}
	if err := a.store.snapshots.Commit(ctx, a.names[number], layer.key, options...); err != nil {
		return false
	}
	layer.key = ""
	return true
}

// stop ends the work, and removes the snapshots that were not committed.
func (a *apart) stop(ctx context.Context) error {
	a.cancel()
	a.work.Wait()
	var failed error
	for _, layer := range a.layers {
		if layer.key != "" {
			failed = errors.Join(failed, a.store.abandon(ctx, layer.key))
		}
	}
	return failed
}
