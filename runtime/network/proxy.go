package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"sandkube.dev/runtime/network/internal/exposure"
	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/gateway"
	"sandkube.dev/runtime/network/internal/hostports"
	"sandkube.dev/runtime/network/internal/portclash"
	"sandkube.dev/runtime/network/internal/proxy"
	"sandkube.dev/runtime/network/internal/publications"
	"sandkube.dev/runtime/network/internal/services"
)

// runProxy serves Services at their ClusterIPs and at ports of the sandbox, and pods at
// their host ports.
func (n *network) runProxy(ctx context.Context, ready func()) (err error) {
	reporter := n.newReporter(ctx)
	defer reporter.shutdown()
	served := n.newServed(reporter)
	defer func() { err = errors.Join(err, served.close()) }()
	nodes := services.Nodes{Names: n.nodeNames(), Addresses: sets.New(n.nodeAddresses()...)}
	if n.sharesNetwork() {
		nodes.LoopbackRange = n.serviceRange
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return publications.Watch(ctx, n.client, func(published []publications.Publication) {
			n.warn("ports of the sandbox", served.setPublished(published))
		}, n.log)
	})
	group.Go(func() error {
		return hostports.Watch(ctx, n.client, func(ports []exposure.HostPort) {
			n.warn("host ports", served.setHostPorts(ports))
		})
	})
	if sharing, shared := n.podSharing(); shared {
		group.Go(func() error {
			return portclash.Watch(ctx, n.client, sharing, func(clash portclash.Clash) {
				reporter.portTaken(clash.Pod, clash.Message)
			})
		})
	}
	group.Go(func() error {
		return services.Watch(ctx, n.client, services.Options{
			Nodes:               nodes,
			LoadBalancerAddress: n.nodeAddress,
			OnChange: func(snapshot *services.Snapshot) {
				n.snapshot.Store(snapshot)
				n.balancer.Prune(snapshot)
				n.warn("Services", served.setSnapshot(snapshot))
			},
			Synced: ready,
			Log:    n.log,
		})
	})
	return group.Wait()
}

// podSharing says which pods can get in each other's way by their ports.
func (n *network) podSharing() (sharing portclash.Sharing, shared bool) {
	switch {
	case n.sharesNetwork():
		return portclash.Sharing{Why: "in host-network mode pods share the node's network"}, true
	case len(n.nodes) > 1:
		return portclash.Sharing{HostNetworkOnly: true, Why: "pods with hostNetwork share the sandbox's network, whichever node they are on"}, true
	}
	return portclash.Sharing{}, false
}

// newServed makes what serves nothing yet.
func (n *network) newServed(reporter *reporter) *served {
	exposed := exposure.Config{
		Balancer: n.balancer, Dial: n.dial, Allow: n.allows, Origin: n.originOf, NodeAt: n.nodeAt,
		Report: reporter.portTaken, Logger: n.log,
	}
	if n.sharesNetwork() {
		exposed.Allow, exposed.PodAddress = nil, n.nodeAddress
		return &served{exposure: exposure.New(exposed)}
	}
	return &served{
		proxy: proxy.New(proxy.Config{
			Namespace: n.virtual, Balancer: n.balancer, Dial: n.dial, Allow: n.allows,
			Origin: func(client forward.Client) services.Origin {
				return services.Origin{Node: n.nodeOf(client.Address)}
			},
			Logger: n.log,
		}),
		exposure: exposure.New(exposed),
	}
}

// served holds what decides which sockets there are.
type served struct {
	// proxy is nil in host-network mode: a ClusterIP is then an address of the sandbox,
	// and its ports are exposed as others are.
	proxy    *proxy.Proxy
	exposure *exposure.Exposure

	mu        sync.Mutex
	snapshot  *services.Snapshot
	published []publications.Publication
	hostPorts []exposure.HostPort
}

func (s *served) setSnapshot(snapshot *services.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = snapshot
	if s.proxy == nil {
		return s.expose()
	}
	return errors.Join(s.proxy.Apply(snapshot), s.expose())
}

func (s *served) close() error {
	err := s.exposure.Close()
	if s.proxy != nil {
		err = errors.Join(err, s.proxy.Close())
	}
	return err
}

func (s *served) setPublished(published []publications.Publication) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = published
	return s.expose()
}

func (s *served) setHostPorts(ports []exposure.HostPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostPorts = ports
	return s.expose()
}

// expose opens the ports of the sandbox. Before the Services are known none is opened: a
// host port could be one of theirs.
func (s *served) expose() error {
	if s.snapshot == nil {
		return nil
	}
	wanted := exposure.Wanted{Node: publications.Frontends(s.snapshot, s.published), HostPorts: s.hostPorts}
	if s.proxy == nil {
		wanted.Cluster = s.snapshot.Cluster
	}
	return s.exposure.Apply(wanted)
}

// originOf is where a client of a port of the sandbox comes from.
func (n *network) originOf(client forward.Client) services.Origin {
	if n.isExternal(client.Address) {
		return services.Origin{External: true, Node: n.nodeAt(client.At)}
	}
	return services.Origin{Node: n.nodeOf(client.Address)}
}

// isExternal says whether a client is neither a pod nor a process of the sandbox.
func (n *network) isExternal(client netip.Addr) bool {
	if n.sharesNetwork() && client == n.nodeAddress {
		return false
	}
	return !client.IsLoopback() && !n.podRange.Contains(client)
}

// dial connects to an endpoint from the sandbox's network namespace.
func (n *network) dial(ctx context.Context, network string, endpoint netip.AddrPort) (net.Conn, error) {
	// Whoever uses the connection sets its keep-alive.
	dialer := net.Dialer{KeepAlive: -1}
	return dialer.DialContext(ctx, network, n.dialAddress(endpoint).String())
}

// dialAddress is where an endpoint is dialed: the API server's advertised address leads to
// the loopback address where it listens.
func (n *network) dialAddress(endpoint netip.AddrPort) netip.AddrPort {
	if endpoint == n.advertisedAPI {
		return n.listeningAPI
	}
	return endpoint
}

// externalEndpoint is where the gateway connects a client that asks for an address which
// is a Service's, though not from the Service range, or the API server's.
func (n *network) externalEndpoint(protocol gateway.Protocol, to netip.AddrPort) (netip.AddrPort, bool) {
	if to == n.advertisedAPI {
		return n.listeningAPI, true
	}
	snapshot := n.snapshot.Load()
	if snapshot == nil {
		return netip.AddrPort{}, false
	}
	port := snapshot.External[services.Frontend{Protocol: v1.Protocol(protocol), Address: to}]
	if port == nil {
		return netip.AddrPort{}, false
	}
	endpoint, ok := n.balancer.Pick(port, services.Origin{}, netip.Addr{})
	if !ok {
		return netip.AddrPort{}, false
	}
	return n.dialAddress(endpoint.Address), true
}
