// Package proxy serves the ClusterIPs of Services by sockets in the service namespace,
// in user space: sandboxes have no packet filters that could do it in the kernel.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/services"
)

// Namespace is where the virtual addresses are.
type Namespace interface {
	AddAddress(address netip.Addr) error
	RemoveAddress(address netip.Addr) error
	ListenTCP(at netip.AddrPort) (*net.TCPListener, error)
	ListenUDP(at netip.AddrPort) (*net.UDPConn, error)
}

// Config says what a Proxy works with.
type Config struct {
	Namespace Namespace
	Balancer  forward.Balancer
	// Dial connects to endpoints; nil: from the network namespace of the calling process.
	Dial forward.DialFunc
	// Allow is asked for each connection and flow; nil: all are allowed.
	Allow forward.AllowFunc
	// Origin says where a client comes from; nil: from none of the nodes.
	Origin forward.OriginFunc
	Logger *slog.Logger
}

// Proxy serves the ClusterIPs of the snapshot that was applied last.
type Proxy struct {
	config    Config
	forwarder *forward.Forwarder
	// running ends the connections that are left when the Proxy is closed.
	running context.Context
	end     context.CancelFunc
	serving sync.WaitGroup

	lock      sync.Mutex
	applied   *services.Snapshot
	frontends map[services.Frontend]*frontend
	addresses addresses
}

// frontend is a listening socket and what stands behind it.
type frontend struct {
	port  *forward.ServicePort
	close func() error
}

// New makes a Proxy that serves nothing yet.
func New(config Config) *Proxy {
	running, end := context.WithCancel(context.Background())
	return &Proxy{
		config: config, forwarder: forward.New(config.Dial, config.Logger),
		running: running, end: end,
		frontends: map[services.Frontend]*frontend{},
		addresses: addresses{namespace: config.Namespace, uses: map[netip.Addr]int{}, wanted: map[netip.Addr]bool{}},
	}
}

// Apply makes the addresses and sockets those of a snapshot. Connections stay, also
// those of a frontend that is gone. What fails is left out, and tried again when Apply
// is called with the same snapshot.
//
// A frontend without endpoints has its address and no socket: the kernel then refuses
// at once, as a Service must without endpoints (kube-proxy's REJECT).
func (p *Proxy) Apply(snapshot *services.Snapshot) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.running.Err() != nil || snapshot == p.applied {
		return nil
	}
	var errs []error
	for key, open := range p.frontends {
		if port := snapshot.Cluster[key]; port == nil || len(port.Internal) == 0 {
			delete(p.frontends, key)
			errs = append(errs, open.close())
		}
	}
	errs = append(errs, p.addresses.want(snapshot.Cluster))
	for key, port := range snapshot.Cluster {
		if open := p.frontends[key]; open != nil {
			open.port.Set(port)
		} else if len(port.Internal) > 0 {
			errs = append(errs, p.open(key, port))
		}
	}
	err := errors.Join(errs...)
	if err == nil {
		p.applied = snapshot
	}
	return err
}

func (p *Proxy) open(key services.Frontend, port *services.Port) error {
	if !p.addresses.has(key.Address.Addr()) {
		// Why has been told already.
		return nil
	}
	backends := forward.NewServicePort(port, p.config.Balancer, p.config.Allow, p.config.Origin)
	serve, stop, err := p.listen(key, backends)
	if err != nil {
		return fmt.Errorf("Service %s, %s %s: %w", port.Name.Service, key.Protocol, key.Address, err)
	}
	p.frontends[key] = &frontend{port: backends, close: stop}
	address := key.Address.Addr()
	p.addresses.use(address)
	p.serving.Go(func() {
		serve()
		p.lock.Lock()
		defer p.lock.Unlock()
		if err := p.addresses.release(address); err != nil {
			p.config.Logger.Warn("a virtual address stays", slog.Any("error", err))
		}
	})
	return nil
}

func (p *Proxy) listen(key services.Frontend, backends forward.Backends) (serve func(), stop func() error, err error) {
	if key.Protocol == v1.ProtocolUDP {
		socket, err := p.config.Namespace.ListenUDP(key.Address)
		if err != nil {
			return nil, nil, err
		}
		return func() { p.forwarder.ServeUDP(p.running, socket, backends) }, socket.Close, nil
	}
	listener, err := p.config.Namespace.ListenTCP(key.Address)
	if err != nil {
		return nil, nil, err
	}
	return func() { p.forwarder.ServeTCP(p.running, listener, backends) }, listener.Close, nil
}

// Close ends all connections and waits for that.
func (p *Proxy) Close() error {
	err := p.Apply(&services.Snapshot{})
	p.end()
	p.serving.Wait()
	return err
}
