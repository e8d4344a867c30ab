package forward

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/services"
)

// Balancer chooses among the endpoints of a Service's port.
type Balancer interface {
	Pick(port *services.Port, from services.Origin, client netip.Addr) (services.Endpoint, bool)
}

// AllowFunc says whether a client may talk to a backend. A nil AllowFunc allows all.
type AllowFunc func(client netip.Addr, protocol v1.Protocol, to netip.AddrPort) bool

// ServicePort is the Backends of one port of a Service. Set changes it at any time,
// without regard to connections that there are.
type ServicePort struct {
	balancer Balancer
	allow    AllowFunc
	origin   OriginFunc
	current  atomic.Pointer[services.Port]
}

// OriginFunc says where a client comes from. A nil OriginFunc says that all clients are the
// cluster's own, on none of its nodes.
type OriginFunc func(client Client) services.Origin

// NewServicePort makes the Backends of a port.
func NewServicePort(port *services.Port, balancer Balancer, allow AllowFunc, origin OriginFunc) *ServicePort {
	if allow == nil {
		allow = func(netip.Addr, v1.Protocol, netip.AddrPort) bool { return true }
	}
	if origin == nil {
		origin = func(Client) services.Origin { return services.Origin{} }
	}
	made := &ServicePort{balancer: balancer, allow: allow, origin: origin}
	made.Set(port)
	return made
}

// Set takes over a port as it is in a new snapshot.
func (s *ServicePort) Set(port *services.Port) { s.current.Store(port) }

// Pick implements Backends.
func (s *ServicePort) Pick(client Client) (netip.AddrPort, bool) {
	port := s.current.Load()
	endpoint, ok := s.balancer.Pick(port, s.origin(client), client.Address)
	if !ok {
		return netip.AddrPort{}, false
	}
	if !s.allow(client.Address, port.Name.Protocol, endpoint.Address) {
		return s.PickOther(client, endpoint.Address)
	}
	return endpoint.Address, true
}

// PickOther implements Backends. It goes past the balancer, which would keep a client
// with session affinity at the endpoint that has failed.
func (s *ServicePort) PickOther(client Client, failed netip.AddrPort) (netip.AddrPort, bool) {
	port := s.current.Load()
	endpoints := port.Endpoints(s.origin(client))
	for _, index := range rand.Perm(len(endpoints)) {
		other := endpoints[index].Address
		if other != failed && s.allow(client.Address, port.Name.Protocol, other) {
			return other, true
		}
	}
	return netip.AddrPort{}, false
}

// Has implements Backends.
func (s *ServicePort) Has(backend netip.AddrPort) bool {
	port := s.current.Load()
	is := func(endpoint services.Endpoint) bool { return endpoint.Address == backend }
	return slices.ContainsFunc(port.Internal, is) || slices.ContainsFunc(port.External, is)
}
