// Package datastore runs the store of all Kubernetes objects: an etcd server
// inside the control-plane process, reached over a unix socket.
package datastore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "datastore"

// A cluster of one member loses no election, so short ticks only make its first
// one quick. etcd demands at least five ticks an election.
const (
	tickMs     = 50
	electionMs = 250
)

// quotaBytes bounds the database: etcd refuses writes beyond it.
const quotaBytes = 2 << 30

// slowRequest is the duration from which on a request is logged.
const slowRequest = 300 * time.Millisecond

// Endpoint is the address that the API server dials.
func Endpoint(spec *nodespec.NodeSpec) string {
	return "unix://" + spec.Path("etcd", "client.sock")
}

// Run serves etcd until ctx is done.
func Run(ctx context.Context, spec *nodespec.NodeSpec, ready func()) error {
	config, err := configure(spec)
	if err != nil {
		return err
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("start etcd in %s: %w", config.Dir, err)
	}
	defer etcd.Close()
	select {
	case <-etcd.Server.ReadyNotify():
		ready()
	case err := <-etcd.Err():
		return err
	case <-ctx.Done():
		return nil
	}
	select {
	case err := <-etcd.Err():
		return err
	case <-etcd.Server.StopNotify():
		return errors.New("etcd stopped")
	case <-ctx.Done():
		return nil
	}
}

func configure(spec *nodespec.NodeSpec) (*embed.Config, error) {
	directory := spec.Path("etcd")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make the datastore's directory: %w", err)
	}
	client, peer := spec.Path("etcd", "client.sock"), spec.Path("etcd", "peer.sock")
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
	// Without it etcd logs each request as a slow one.
	config.WarningUnaryRequestDuration = slowRequest
	config.LogLevel = "warn"
	config.LogOutputs = []string{"stderr"}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("etcd configuration: %w", err)
	}
	return config, nil
}
