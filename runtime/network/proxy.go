package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"sandkube.dev/runtime/network/internal/clusterip"
	"sandkube.dev/runtime/network/internal/gateway"
	"sandkube.dev/runtime/network/internal/hostports"
	"sandkube.dev/runtime/network/internal/publications"
	"sandkube.dev/runtime/network/internal/relay"
	"sandkube.dev/runtime/network/internal/sandboxports"
	"sandkube.dev/runtime/network/internal/services"
)

// runProxy serves Services at their ClusterIPs and at ports of the sandbox, and pods at
// their host ports.
func (n *network) runProxy(ctx context.Context, ready func()) (err error) {
	router := &relay.Router{Balancer: n.balancer, Allow: n.allows, Dial: n.dialAddress}
	reporter := newReporter(ctx, n.client, n.spec.Node.Name)
	defer reporter.shutdown()
	served := &served{
		proxy:    clusterip.New(n.namespace, router, n.log),
		exposure: sandboxports.New(router, n.isExternal, reporter.portTaken, n.log),
	}
	defer func() { err = errors.Join(err, served.proxy.Close()) }()

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return served.exposure.Run(ctx) })
	group.Go(func() error {
		return publications.Watch(ctx, n.client, func(published []publications.Publication) {
			n.warn("ports of the sandbox", served.setPublished(published))
		}, n.log)
	})
	group.Go(func() error {
		return hostports.Watch(ctx, n.client, n.spec.Node.Name, func(ports []hostports.HostPort) {
			n.warn("host ports", served.setHostPorts(ports))
		})
	})
	group.Go(func() error {
		return services.Watch(ctx, n.client, services.Options{
			Node:                services.Node{Name: n.spec.Node.Name, Addresses: sets.New(n.nodeAddress)},
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

// served holds what decides which sockets there are.
type served struct {
	proxy    *clusterip.Proxy
	exposure *sandboxports.Exposure

	mu        sync.Mutex
	snapshot  *services.Snapshot
	published []publications.Publication
	hostPorts []hostports.HostPort
}

func (s *served) setSnapshot(snapshot *services.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = snapshot
	return errors.Join(s.proxy.Apply(snapshot), s.expose())
}

func (s *served) setPublished(published []publications.Publication) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = published
	return s.expose()
}

func (s *served) setHostPorts(ports []hostports.HostPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostPorts = ports
	return s.expose()
}

// expose opens the ports of the sandbox. A Service's comes before a pod's host port.
func (s *served) expose() error {
	wanted := make(map[sandboxports.Socket]sandboxports.Exposed)
	for _, port := range s.hostPorts {
		endpoint := []services.Endpoint{{Address: port.Target}}
		wanted[sandboxports.Socket{Protocol: port.Protocol, At: port.At}] = sandboxports.Exposed{
			Port:  &services.Port{Name: services.PortName{Protocol: port.Protocol}, Internal: endpoint, External: endpoint},
			Owner: port.Pod,
		}
	}
	if s.snapshot != nil {
		for frontend, port := range publications.Frontends(s.snapshot, s.published) {
			socket := sandboxports.Socket{Protocol: frontend.Protocol, At: netip.AddrPortFrom(netip.IPv4Unspecified(), frontend.Port)}
			wanted[socket] = sandboxports.Exposed{Port: port, Owner: v1.ObjectReference{
				Kind: "Service", APIVersion: v1.SchemeGroupVersion.String(),
				Namespace: port.Name.Service.Namespace, Name: port.Name.Service.Name,
			}}
		}
	}
	return s.exposure.Apply(wanted)
}

// isExternal says whether a client is neither a pod nor a process of the sandbox.
func (n *network) isExternal(client netip.Addr) bool {
	return !client.IsLoopback() && !n.clusterPodRange.Contains(client)
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
	endpoint, ok := n.balancer.Pick(port, false, netip.Addr{})
	if !ok {
		return netip.AddrPort{}, false
	}
	return n.dialAddress(endpoint.Address), true
}
