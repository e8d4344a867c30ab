// Package imagestore works on the images of a node's containerd without a registry: it
// loads, makes, lists, names, saves and removes them.
//
// What it adds to the node is held by a lease until it is whole, checked and unpacked;
// only then does an image get its name. When the work fails or is cancelled the lease
// goes, and with it everything that was brought in; when the process is killed, the
// next command removes what it left.
package imagestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/platforms"
	"google.golang.org/grpc"
)

// kubernetesNamespace is the containerd namespace of the kubelet's images and containers.
const kubernetesNamespace = "k8s.io"

// pinned is the label by which the CRI tells the kubelet never to remove an image by
// itself. What came from a file can not be pulled again.
var pinned = map[string]string{"io.cri-containerd.pinned": "pinned"}

// Store is a connection to a node's containerd.
type Store struct {
	client  *client.Client
	content content.Store
	// incoming is the same content store.
	incoming    *incoming
	images      images.Store
	leases      leases.Manager
	snapshotter string
	snapshots   snapshots.Snapshotter
	platform    platforms.MatchComparer
	progress    *Progress
	// UnpackLimitBytes is what each layer may become when it is unpacked; 0: what real ones do.
	UnpackLimitBytes int64
}

// sendBytes is how much of a blob is sent at once: system calls are dear in a sandbox, and
// gRPC's default is 32 KiB.
const sendBytes = 1 << 20

// Open connects to the containerd that listens on a unix socket.
func Open(ctx context.Context, socket, snapshotter string, progress *Progress) (*Store, error) {
	c, err := client.New(socket, client.WithDefaultNamespace(kubernetesNamespace), client.WithTimeout(10*time.Second),
		client.WithExtraDialOpts([]grpc.DialOption{grpc.WithWriteBufferSize(sendBytes)}))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	incoming := newIncoming(ctx, c)
	return &Store{
		client:      c,
		content:     incoming,
		incoming:    incoming,
		images:      c.ImageService(),
		leases:      c.LeasesService(),
		snapshotter: snapshotter,
		snapshots:   c.SnapshotService(snapshotter),
		platform:    platforms.Default(),
		progress:    progress,
	}, nil
}

// Close ends the connection.
func (s *Store) Close() error { return s.client.Close() }

// Context is ctx with the namespace that all work is done in.
func Context(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, kubernetesNamespace)
}

// leaseLimit ends the lease of a process that was killed if no later command does.
const leaseLimit = 24 * time.Hour

// releaseLimit is how long the removal of a lease and of what only it held may take.
const releaseLimit = 2 * time.Minute

// leased does work under a lease. What the work adds to the node stays if an image
// names it, else it goes as soon as the work has failed.
func (s *Store) leased(ctx context.Context, work func(context.Context) error) (err error) {
	if _, err := s.RemoveLeftovers(ctx); err != nil {
		return err
	}
	owner, err := currentOwner()
	if err != nil {
		return err
	}
	lease, err := s.leases.Create(ctx, leases.WithRandomID(), leases.WithExpiration(leaseLimit), leases.WithLabel(ownerLabel, owner.String()))
	if err != nil {
		return fmt.Errorf("hold what is brought in: %w", err)
	}
	defer func() {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
		defer cancel()
		var options []leases.DeleteOpt
		if err != nil {
			options = append(options, leases.SynchronousDelete)
		}
		err = errors.Join(err, s.leases.Delete(release, lease, options...), s.incoming.release(lease.ID))
	}()
	return work(leases.WithLease(ctx, lease.ID))
}

// RemoveLeftovers removes what commands that were killed had brought in, and returns
// how many of them there were.
func (s *Store) RemoveLeftovers(ctx context.Context) (int, error) {
	// A lease is made before its directory.
	unfinished, err := s.incoming.leases()
	if err != nil {
		return 0, err
	}
	held, err := s.leases.List(ctx, fmt.Sprintf("labels.%q", ownerLabel))
	if err != nil {
		return 0, fmt.Errorf("look for what earlier commands left: %w", err)
	}
	removed := 0
	for _, lease := range held {
		if ownerOf(lease.Labels[ownerLabel]).isAlive() {
			unfinished = slices.DeleteFunc(unfinished, func(id string) bool { return id == lease.ID })
			continue
		}
		if err := s.leases.Delete(ctx, lease, leases.SynchronousDelete); err != nil {
			return removed, fmt.Errorf("remove what an earlier command left: %w", err)
		}
		removed++
	}
	for _, lease := range unfinished {
		if err := s.incoming.clear(lease); err != nil {
			return removed, err
		}
	}
	return removed, nil
}
