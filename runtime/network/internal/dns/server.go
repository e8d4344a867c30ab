package dns

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/kubernetes"
	"golang.org/x/sync/errgroup"
)

// newServer puts the handlers in their order. Names of the cluster are answered before
// the cache: a new Service is seen at once, as with kubeadm's `cache 30 { disable }`.
func newServer(config Config, names *kubernetes.Kubernetes, upstreams []string) (*dnsserver.Server, error) {
	var outside plugin.Handler = nowhere{}
	if len(upstreams) != 0 {
		cached := cache.New()
		cached.Next = newForwarder(upstreams)
		outside = cached
	}
	names.Next = newOwnReverse(config.ClusterRanges, config.ClusterDomain, outside)
	first := newReporter(config.Logger, rotation{next: names})

	return dnsserver.NewServer("dns://"+config.UDP.LocalAddr().String(), []*dnsserver.Config{{
		Zone:   ".",
		Plugin: []plugin.Plugin{func(plugin.Handler) plugin.Handler { return first }},
	}})
}

// serve answers queries until ctx is done or a socket fails.
func serve(ctx context.Context, server *dnsserver.Server, tcp net.Listener, udp net.PacketConn) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return ended(ctx, "TCP", tcp.Addr(), server.Serve(tcp))
	})
	group.Go(func() error {
		return ended(ctx, "UDP", udp.LocalAddr(), server.ServePacket(plainSocket{udp}))
	})
	group.Go(func() error {
		<-ctx.Done()
		// Stop fails for a half that has not begun to serve; its closed socket ends it.
		err := server.Stop()
		_ = tcp.Close()
		_ = udp.Close()
		if err != nil {
			return fmt.Errorf("stop the DNS server: %w", err)
		}
		return nil
	})
	return group.Wait()
}

// ended turns the end of a server into an error, unless it was asked for.
func ended(ctx context.Context, protocol string, address net.Addr, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("the server ended")
	}
	return fmt.Errorf("serve DNS over %s at %s: %w", protocol, address, err)
}

// plainSocket hides that the socket is a *net.UDPConn, for which the server would pick
// the source of each answer by IP_PKTINFO. The socket has one address, so there is
// nothing to pick, and no control message that a sandbox might refuse.
type plainSocket struct {
	net.PacketConn
}
