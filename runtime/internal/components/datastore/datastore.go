// Package datastore runs the store of all Kubernetes objects: an etcd server
// inside the control-plane process, reached through its memory.
package datastore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "datastore"

// A member without peers has nobody to send heartbeats to: each tick only wakes the
// process up, and so does each election timeout, after which etcd looks for a leader.
// Its first election does not wait for one: see campaign. etcd demands at least five
// ticks an election.
const (
	tickMs     = 1000
	electionMs = 5000
)

// commitInterval is how long etcd gathers writes before it commits them to its
// database; its default of 100 ms is also how often it wakes up to look. The log, from
// which it recovers what the database misses, is synced at each write.
const commitInterval = time.Second

// quotaBytes bounds the database: etcd refuses writes beyond it.
const quotaBytes = 2 << 30

// slowRequest is the duration from which on a request is logged.
const slowRequest = 300 * time.Millisecond

// connectionBytes is how much each direction of a connection in memory may hold. It is
// taken at once, and the API server has a connection for each kind of object.
const connectionBytes = 32 << 10

// readBytes is the buffer for what is read from a connection in memory, where reading
// less at a time costs no system call.
const readBytes = 4 << 10

// Store is the datastore of one control plane.
type Store struct {
	spec   *nodespec.NodeSpec
	memory *bufconn.Listener
}

// New returns a Store that Run will serve.
func New(spec *nodespec.NodeSpec) *Store {
	return &Store{spec: spec, memory: bufconn.Listen(connectionBytes)}
}

// Dial connects to the store without a system call for each message, which sandboxes
// make expensive. It blocks until Run serves, or until ctx is done.
func (s *Store) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return s.memory.DialContext(ctx)
}

// Endpoint is the address that the API server is told; Dial takes its place.
func (s *Store) Endpoint() string { return "unix://" + s.socket() }

// socket is where etcd listens besides: it does not start without an address.
func (s *Store) socket() string { return s.spec.Path("etcd", "client.sock") }

// Run serves etcd until ctx is done.
func (s *Store) Run(ctx context.Context, ready func()) error {
	config, err := s.configure()
	if err != nil {
		return err
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("start etcd in %s: %w", config.Dir, err)
	}
	defer etcd.Close()
	if err := campaign(ctx, etcd.Server); err != nil {
		return err
	}
	select {
	case <-etcd.Server.ReadyNotify():
	case err := <-etcd.Err():
		return err
	case <-ctx.Done():
		return nil
	}
	server := v3rpc.Server(etcd.Server, nil, nil, grpc.SharedWriteBuffer(true), grpc.ReadBufferSize(readBytes))
	defer server.Stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.memory) }()
	ready()
	select {
	case err := <-served:
		return fmt.Errorf("serve etcd: %w", err)
	case err := <-etcd.Err():
		return err
	case <-etcd.Server.StopNotify():
		return errors.New("etcd stopped")
	case <-ctx.Done():
		return nil
	}
}

func (s *Store) configure() (*embed.Config, error) {
	spec := s.spec
	directory := spec.Path("etcd")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make the datastore's directory: %w", err)
	}
	client, peer := s.socket(), spec.Path("etcd", "peer.sock")
	for _, socket := range []string{client, peer} {
		if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove a stale socket: %w", err)
		}
	}
	config := embed.NewConfig()
	config.Name = spec.Cluster.Name
	config.Dir = spec.Path("etcd", "data")
	config.ListenClientUrls = []url.URL{{Scheme: "unix", Path: client}}
	// etcd refuses to advertise a unix socket; a member without peers is told to nobody.
	config.AdvertiseClientUrls = []url.URL{{Scheme: "http", Host: "localhost:2379"}}
	// Of a peer's URL etcd uses the host alone: with a path it would listen on an
	// abstract socket, which has no permissions and, without root, can not be closed.
	config.ListenPeerUrls = []url.URL{{Scheme: "unix", Host: peer}}
	config.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "localhost:2380"}}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.TickMs = tickMs
	config.ElectionMs = electionMs
	config.QuotaBackendBytes = quotaBytes
	config.BackendBatchInterval = commitInterval
	// Without it etcd logs each request as a slow one.
	config.WarningUnaryRequestDuration = slowRequest
	config.LogLevel = "warn"
	config.LogOutputs = []string{"stderr"}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("etcd configuration: %w", err)
	}
	return config, nil
}
