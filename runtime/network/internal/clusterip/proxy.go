// Package clusterip serves the ClusterIPs of Services by sockets in the service namespace:
// in user space, where there are no packet filters to do it in the kernel.
package clusterip

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/relay"
	"sandkube.dev/runtime/network/internal/services"
)

// Namespace is where virtual addresses live.
type Namespace interface {
	AddAddress(netip.Addr) error
	RemoveAddress(netip.Addr) error
	ListenTCP(netip.AddrPort) (*net.TCPListener, error)
	ListenUDP(netip.AddrPort) (*net.UDPConn, error)
}

// Proxy serves the ClusterIPs of the latest Snapshot.
type Proxy struct {
	namespace Namespace
	router    *relay.Router
	log       *slog.Logger

	mu        sync.Mutex
	addresses map[netip.Addr]bool
	servers   map[services.Frontend]*relay.Server
}

// New returns a Proxy that serves nothing yet.
func New(namespace Namespace, router *relay.Router, log *slog.Logger) *Proxy {
	return &Proxy{
		namespace: namespace, router: router, log: log,
		addresses: make(map[netip.Addr]bool), servers: make(map[services.Frontend]*relay.Server),
	}
}

// Apply brings addresses and sockets to what a Snapshot says. A ClusterIP whose port has
// no endpoint has its address and no socket there, so that the kernel refuses clients at
// once. What can not be done is told, and tried again by the next Apply.
func (p *Proxy) Apply(snapshot *services.Snapshot) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	addresses := make(map[netip.Addr]bool, len(snapshot.Cluster))
	for frontend := range snapshot.Cluster {
		addresses[frontend.Address.Addr()] = true
	}
	for frontend, server := range p.servers {
		if port := snapshot.Cluster[frontend]; port == nil || len(port.Internal) == 0 {
			delete(p.servers, frontend)
			errs = append(errs, server.Close())
		}
	}
	errs = append(errs, p.applyAddresses(addresses))
	for frontend, port := range snapshot.Cluster {
		if len(port.Internal) == 0 || !p.addresses[frontend.Address.Addr()] {
			continue
		}
		if server := p.servers[frontend]; server != nil {
			server.SetPort(port)
			continue
		}
		server, err := p.serve(frontend, port)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s of Service %s: %w", frontend.Protocol, frontend.Address, port.Name.Service, err))
			continue
		}
		p.servers[frontend] = server
	}
	return errors.Join(errs...)
}

func (p *Proxy) applyAddresses(wanted map[netip.Addr]bool) error {
	var errs []error
	for address := range p.addresses {
		if !wanted[address] {
			delete(p.addresses, address)
			errs = append(errs, p.namespace.RemoveAddress(address))
		}
	}
	for address := range wanted {
		if p.addresses[address] {
			continue
		}
		if err := p.namespace.AddAddress(address); err != nil {
			errs = append(errs, err)
			continue
		}
		p.addresses[address] = true
	}
	return errors.Join(errs...)
}

func (p *Proxy) serve(frontend services.Frontend, port *services.Port) (*relay.Server, error) {
	if frontend.Protocol == v1.ProtocolUDP {
		socket, err := p.namespace.ListenUDP(frontend.Address)
		if err != nil {
			return nil, err
		}
		return p.router.ServeUDP(socket, port, neverExternal, p.log), nil
	}
	listener, err := p.namespace.ListenTCP(frontend.Address)
	if err != nil {
		return nil, err
	}
	return p.router.ServeTCP(listener, port, neverExternal, p.log), nil
}

// neverExternal: only the cluster and its sandbox have a route to a ClusterIP.
func neverExternal(netip.Addr) bool { return false }

// Close closes all sockets; connections that are made go on.
func (p *Proxy) Close() error {
	return p.Apply(&services.Snapshot{})
}
