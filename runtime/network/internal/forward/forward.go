// Package forward passes connections and datagrams on, from listening sockets to the
// backends that are chosen for each client, and back.
package forward

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// DialFunc connects to an address; network is "tcp4" or "udp4".
type DialFunc func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)

// Client is who asks for a backend.
type Client struct {
	Address netip.Addr
	// At is the address that the client has connected or sent to; it may be invalid for
	// datagrams to a socket with one address.
	At netip.Addr
}

// Backends chooses where a client is forwarded to. Its methods may be called at the
// same time.
type Backends interface {
	// Pick chooses for a new connection or flow; false: nothing may serve the client.
	Pick(client Client) (netip.AddrPort, bool)
	// PickOther chooses after a backend could not be connected to; false: there is no other.
	PickOther(client Client, failed netip.AddrPort) (netip.AddrPort, bool)
	// Has says whether an address still is a backend.
	Has(backend netip.AddrPort) bool
}

const (
	// dialLimit bounds how long a client waits for a backend that does not answer.
	dialLimit = 10 * time.Second
	// flowIdle and flowIdleReplied are how long a UDP flow lives without a datagram,
	// before and after its backend has replied once: nf_conntrack_udp_timeout and
	// nf_conntrack_udp_timeout_stream of Linux.
	flowIdle        = 30 * time.Second
	flowIdleReplied = 120 * time.Second
	// maxFlows bounds the UDP flows of one socket: each one has a descriptor.
	maxFlows = 4096
)

// Forwarder serves listening sockets. Its methods may be called at the same time.
type Forwarder struct {
	dial   DialFunc
	logger *slog.Logger

	flowIdle, flowIdleReplied time.Duration
}

// New makes a Forwarder. A nil dial connects from the calling process' network namespace.
func New(dial DialFunc, logger *slog.Logger) *Forwarder {
	if dial == nil {
		dial = dialDirectly
	}
	return &Forwarder{dial: dial, logger: logger, flowIdle: flowIdle, flowIdleReplied: flowIdleReplied}
}

func dialDirectly(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: keepAliveLater}
	return dialer.DialContext(ctx, network, to.String())
}

// keepAliveLater leaves it to ServeTCP to set keep-alive, with fewer system calls.
const keepAliveLater = -1

// ListenTCP listens as suits ServeTCP, in the calling thread's network namespace.
func ListenTCP(ctx context.Context, at netip.AddrPort) (*net.TCPListener, error) {
	config := net.ListenConfig{KeepAlive: keepAliveLater}
	// The proxied connections are plain TCP on the other side.
	config.SetMultipathTCP(false)
	listener, err := config.Listen(ctx, "tcp4", at.String())
	if err != nil {
		return nil, err
	}
	// The network "tcp4" has no other listeners.
	return listener.(*net.TCPListener), nil
}
