// Package sandboxports makes Services and pods reachable at ports of the sandbox itself:
// NodePorts, ports of load balancers, published ports, host ports.
package sandboxports

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/relay"
	"sandkube.dev/runtime/network/internal/services"
)

// retryInterval is how often a port that was taken is tried again.
const retryInterval = 2 * time.Second

// Socket is where clients connect to; its address is unspecified for all addresses.
type Socket struct {
	// Protocol is TCP or UDP.
	Protocol v1.Protocol
	At       netip.AddrPort
}

// Exposed is what clients of a Socket reach.
type Exposed struct {
	Port *services.Port
	// Owner is the Service or Pod that asks for the socket.
	Owner v1.ObjectReference
}

// Report tells the owner of a socket why it can not be had.
type Report func(owner v1.ObjectReference, message string)

// Exposure keeps the sockets.
type Exposure struct {
	router     *relay.Router
	isExternal relay.IsExternal
	report     Report
	log        *slog.Logger

	mu      sync.Mutex
	wanted  map[Socket]Exposed
	servers map[Socket]*relay.Server
	// reported holds the owners that have been told of a socket that can not be had.
	reported map[Socket]v1.ObjectReference
}

// New returns an Exposure of nothing.
func New(router *relay.Router, isExternal relay.IsExternal, report Report, log *slog.Logger) *Exposure {
	return &Exposure{
		router: router, isExternal: isExternal, report: report, log: log,
		servers: make(map[Socket]*relay.Server), reported: make(map[Socket]v1.ObjectReference),
	}
}

// Run tries again for ports that are taken until ctx is done, and then closes all sockets.
func (e *Exposure) Run(ctx context.Context) error {
	ticks := time.NewTicker(retryInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return e.Apply(nil)
		case <-ticks.C:
			e.retry()
		}
	}
}

// Apply brings the sockets to what is wanted. One without an endpoint is not opened. One
// that can not be had is told to its owner once, and tried again by Run.
func (e *Exposure) Apply(wanted map[Socket]Exposed) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wanted = wanted
	var errs []error
	for socket, server := range e.servers {
		if !hasEndpoints(wanted[socket].Port) {
			delete(e.servers, socket)
			errs = append(errs, server.Close())
		}
	}
	for socket, owner := range e.reported {
		if wanted[socket].Owner != owner {
			delete(e.reported, socket)
		}
	}
	e.open()
	return errors.Join(errs...)
}

func hasEndpoints(port *services.Port) bool {
	return port != nil && len(port.Internal)+len(port.External) > 0
}

func (e *Exposure) retry() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.reported) > 0 {
		e.open()
	}
}

// open opens the sockets that are wanted and not there.
func (e *Exposure) open() {
	for socket, exposed := range e.wanted {
		if server := e.servers[socket]; server != nil {
			server.SetPort(exposed.Port)
			continue
		}
		if !hasEndpoints(exposed.Port) {
			continue
		}
		server, err := e.serve(socket, exposed.Port)
		if err != nil {
			e.tell(socket, exposed.Owner, err)
			continue
		}
		delete(e.reported, socket)
		e.servers[socket] = server
	}
}

func (e *Exposure) serve(socket Socket, port *services.Port) (*relay.Server, error) {
	if socket.Protocol == v1.ProtocolUDP {
		opened, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(socket.At))
		if err != nil {
			return nil, err
		}
		return e.router.ServeUDP(opened, port, e.isExternal, e.log), nil
	}
	listener, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(socket.At))
	if err != nil {
		return nil, err
	}
	return e.router.ServeTCP(listener, port, e.isExternal, e.log), nil
}

func (e *Exposure) tell(socket Socket, owner v1.ObjectReference, err error) {
	if e.reported[socket] == owner {
		return
	}
	e.reported[socket] = owner
	message := fmt.Sprintf("%s port %d of the sandbox can not be had, and is tried again: %v", socket.Protocol, socket.At.Port(), err)
	e.log.Warn(message, "kind", owner.Kind, "namespace", owner.Namespace, "name", owner.Name)
	e.report(owner, message)
}
