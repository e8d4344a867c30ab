package relay

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/network/internal/services"
)

// acceptPause is how long no client is accepted when the process is out of descriptors.
const acceptPause = 50 * time.Millisecond

// IsExternal says whether a client comes from outside the cluster.
type IsExternal func(client netip.Addr) bool

// Server serves one frontend of a Service at one socket.
type Server struct {
	router     *Router
	isExternal IsExternal
	log        *slog.Logger
	// port is what clients are connected to from now on.
	port      atomic.Pointer[services.Port]
	datagrams *Datagrams
	close     func() error
}

// ServeTCP accepts clients until the server is closed. Connections outlive it.
func (r *Router) ServeTCP(listener *net.TCPListener, port *services.Port, isExternal IsExternal, log *slog.Logger) *Server {
	s := &Server{router: r, isExternal: isExternal, log: log, close: listener.Close}
	s.port.Store(port)
	go s.accept(listener)
	return s
}

// ServeUDP carries datagrams until the server is closed.
func (r *Router) ServeUDP(socket *net.UDPConn, port *services.Port, isExternal IsExternal, log *slog.Logger) *Server {
	s := &Server{router: r, isExternal: isExternal, log: log}
	s.port.Store(port)
	s.datagrams = NewDatagrams(socket, s.chooseForDatagrams, log)
	s.close = s.datagrams.Close
	go s.datagrams.Run()
	return s
}

// SetPort gives new clients other endpoints. Connections stay; flows of datagrams whose
// endpoint is gone choose anew.
func (s *Server) SetPort(port *services.Port) {
	if s.port.Swap(port) == port || s.datagrams == nil {
		return
	}
	s.datagrams.Retain(func(endpoint netip.AddrPort) bool {
		isIt := func(candidate services.Endpoint) bool { return s.router.Dial(candidate.Address) == endpoint }
		return slices.ContainsFunc(port.Internal, isIt) || slices.ContainsFunc(port.External, isIt)
	})
}

// Close stops serving.
func (s *Server) Close() error { return s.close() }

func (s *Server) chooseForDatagrams(client netip.AddrPort) (netip.AddrPort, bool) {
	address := client.Addr()
	endpoint, ok := s.router.choose(s.port.Load(), s.isExternal(address), address)
	if !ok {
		return netip.AddrPort{}, false
	}
	return s.router.Dial(endpoint), true
}

func (s *Server) accept(listener *net.TCPListener) {
	for {
		client, err := listener.AcceptTCP()
		switch {
		case err == nil:
			go s.serve(client)
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
			s.log.Warn("a client can not be accepted", "at", listener.Addr(), "error", err)
			time.Sleep(acceptPause)
		default:
			// The client has gone before it was accepted.
			s.log.Debug("a client was not accepted", "at", listener.Addr(), "error", err)
		}
	}
}

func (s *Server) serve(client *net.TCPConn) {
	// Without it a client that is gone keeps its connection for ever.
	_ = client.SetKeepAliveConfig(keepAlive())
	address := remoteAddress(client)
	port := s.port.Load()
	endpoint, err := s.router.connect(context.Background(), port, s.isExternal(address), address)
	if err != nil {
		s.log.Debug("a client was not connected", "service", port.Name.Service, "client", address, "error", err)
		Reset(client)
		return
	}
	Streams(client, endpoint)
}

func remoteAddress(client *net.TCPConn) netip.Addr {
	// The address of a TCP connection is one of TCP.
	return client.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
}
