package main

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"sandkube.dev/runtime/internal/kubeclient"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/network/internal/dns"
)

const (
	dnsPort = 53
	// resolverConfig names the sandbox's own name servers.
	resolverConfig = "/etc/resolv.conf"
)

// runDNS serves the cluster's DNS at its ClusterIP.
func (n *network) runDNS(ctx context.Context, ready func()) error {
	upstreams, err := dns.ReadResolvConf(resolverConfig, n.dnsAddress)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := n.virtual.AddAddress(n.dnsAddress); err != nil {
		return err
	}
	at := netip.AddrPortFrom(n.dnsAddress, dnsPort)
	tcp, err := n.virtual.ListenTCP(at)
	if err != nil {
		return err
	}
	udp, err := n.virtual.ListenUDP(at)
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		// kube-system is made some time after the API server is ready.
		err := kubeclient.Poll(ctx, func() error { return dns.EnsureService(ctx, n.client, n.dnsAddress) })
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	group.Go(func() error {
		return dns.Run(ctx, dns.Config{
			API:           n.api,
			ClusterDomain: nodespec.ClusterDomain,
			ClusterRanges: []netip.Prefix{n.serviceRange, n.podRange},
			TCP:           tcp,
			UDP:           udp,
			Upstreams:     upstreams,
			Logger:        n.log.With("part", dnsPart),
		}, ready)
	})
	return group.Wait()
}
