package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/services"
)

const (
	// connectTimeout is below what most clients wait for.
	connectTimeout = 10 * time.Second
	// A connection is probed only to notice that its peer is gone without a word. One that
	// is idle stays.
	keepAliveIdle     = 5 * time.Minute
	keepAliveInterval = time.Minute
	keepAliveCount    = 9
)

// errNoEndpoint says that no endpoint of a Service may be connected to.
var errNoEndpoint = errors.New("there is no endpoint for the client")

// Balancer chooses one of a port's endpoints for a client.
type Balancer interface {
	Pick(port *services.Port, external bool, client netip.Addr) (services.Endpoint, bool)
	Forget(name services.PortName, client netip.Addr)
}

// Router decides where clients of Services go, and connects them.
type Router struct {
	Balancer Balancer
	// Allow says whether a client may begin a flow to an endpoint.
	Allow func(client netip.Addr, protocol v1.Protocol, endpoint netip.AddrPort) bool
	// Dial says where an endpoint is dialed: itself, unless it is reached in another way.
	Dial func(endpoint netip.AddrPort) netip.AddrPort
}

// choose picks one of the endpoints that a client may reach.
func (r *Router) choose(port *services.Port, external bool, client netip.Addr) (netip.AddrPort, bool) {
	chosen, ok := r.Balancer.Pick(r.allowed(port, client), external, client)
	return chosen.Address, ok
}

// allowed is a port with the endpoints that a client may reach: itself if these are all.
func (r *Router) allowed(port *services.Port, client netip.Addr) *services.Port {
	internal, allInternal := r.allowedOf(port.Internal, port.Name.Protocol, client)
	external, allExternal := r.allowedOf(port.External, port.Name.Protocol, client)
	if allInternal && allExternal {
		return port
	}
	limited := *port
	limited.Internal, limited.External = internal, external
	return &limited
}

func (r *Router) allowedOf(endpoints []services.Endpoint, protocol v1.Protocol, client netip.Addr) (allowed []services.Endpoint, all bool) {
	for i, endpoint := range endpoints {
		if r.Allow(client, protocol, endpoint.Address) {
			continue
		}
		allowed = append(allowed, endpoints[:i]...)
		for _, other := range endpoints[i+1:] {
			if r.Allow(client, protocol, other.Address) {
				allowed = append(allowed, other)
			}
		}
		return allowed, false
	}
	return endpoints, true
}

// Reaches says whether a client may reach any endpoint of a port.
func (r *Router) Reaches(port *services.Port, client netip.Addr) bool {
	_, ok := r.choose(port, false, client)
	return ok
}

// connect connects a client to one of a port's endpoints, and to another one if that
// can not be reached.
func (r *Router) connect(ctx context.Context, port *services.Port, external bool, client netip.Addr) (*net.TCPConn, error) {
	const attempts = 2
	var failures []error
	for range attempts {
		endpoint, ok := r.choose(port, external, client)
		if !ok {
			return nil, errors.Join(append(failures, errNoEndpoint)...)
		}
		connection, err := r.dial(ctx, endpoint)
		if err == nil {
			return connection, nil
		}
		failures = append(failures, fmt.Errorf("endpoint %s: %w", endpoint, err))
		r.Balancer.Forget(port.Name, client)
	}
	return nil, errors.Join(failures...)
}

func (r *Router) dial(ctx context.Context, endpoint netip.AddrPort) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: connectTimeout, KeepAliveConfig: keepAlive()}
	connection, err := dialer.DialContext(ctx, "tcp4", r.Dial(endpoint).String())
	if err != nil {
		return nil, err
	}
	// A dialer for TCP makes TCP connections.
	return connection.(*net.TCPConn), nil
}

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount}
}
