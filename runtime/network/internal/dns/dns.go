// Package dns serves the cluster's DNS: CoreDNS's view of Services and pods, composed as
// a library, and the sandbox's name servers for all other names.
package dns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
)

const (
	// unsyncedLimit is how long queries wait in the sockets for the first listing of the
	// API. After it, names of the cluster fail until they are known, and others are
	// forwarded. It is CoreDNS's startup_timeout.
	unsyncedLimit = 5 * time.Second
	// syncInterval is short because start-up is waited for by people.
	syncInterval = 10 * time.Millisecond
)

// ErrLoop is returned when a name server to forward to is the address that is served.
var ErrLoop = errors.New("queries would be forwarded to this server itself")

// Config says what Run serves and where.
type Config struct {
	// API reaches the API server whose Services are served. Run works on a copy.
	API *rest.Config
	// ClusterDomain is the domain of the cluster's names, such as "cluster.local".
	ClusterDomain string
	// ClusterRanges are the ranges of Services and pods. The sandbox's name servers are
	// never asked for the names of their addresses.
	ClusterRanges []netip.Prefix
	// TCP and UDP are open sockets of one address. Run closes them.
	TCP net.Listener
	UDP net.PacketConn
	// Upstreams are the name servers for names outside the cluster, as "address" or
	// "address:port". Without any, such names do not exist.
	Upstreams []string
	// Logger receives errors only.
	Logger *slog.Logger
}

// Run answers queries until ctx is done, and then returns nil. It calls ready once, when
// the API has been listed. Errors: a bad Config, ErrLoop, a socket that ended.
//
// CoreDNS registers command-line flags and Prometheus collectors with the process-wide
// defaults when it is linked in. Nothing here reads them, and no port shows them.
func Run(ctx context.Context, config Config, ready func()) error {
	defer func() { _ = config.TCP.Close() }()
	defer func() { _ = config.UDP.Close() }()

	upstreams, err := parseUpstreams(config.Upstreams)
	if err != nil {
		return err
	}
	if err := rejectLoop(upstreams, config.TCP.Addr(), config.UDP.LocalAddr()); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	cluster, err := newCluster(ctx, config.API, config.ClusterDomain)
	if err != nil {
		return err
	}
	server, err := newServer(config, cluster.names, upstreams)
	if err != nil {
		return fmt.Errorf("compose the DNS server: %w", err)
	}

	synced := make(chan struct{})
	group.Go(func() error {
		cluster.run(ctx)
		return nil
	})
	group.Go(func() error {
		if cluster.waitSynced(ctx) {
			close(synced)
			ready()
		}
		return nil
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-synced:
		case <-time.After(unsyncedLimit):
			config.Logger.Error("DNS answers before the API has been listed", "waited", unsyncedLimit)
		}
		return serve(ctx, server, config.TCP, config.UDP)
	})
	return group.Wait()
}
