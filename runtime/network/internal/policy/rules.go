package policy

import (
	"net/netip"
	"slices"
)

// Rules is what a set of policies amounts to. It never changes once it is built, and
// any number of goroutines can ask it.
type Rules struct {
	node      Node
	endpoints map[netip.Addr]*endpoint
	problems  []Problem
}

// endpoint is a pod, as seen from its address.
type endpoint struct {
	named           map[portName][]uint16
	ingress, egress direction
}

// direction is what may enter a pod, or leave it.
type direction struct {
	isolated bool
	rules    []*rule
}

type rule struct {
	peers peers
	ports ports
}

// Allows says whether both ends let a flow through: the egress rules of its source
// and the ingress rules of its destination.
func (r *Rules) Allows(flow Flow) bool {
	if len(r.endpoints) == 0 || flow.Source == flow.Destination || r.exempt(flow) {
		return true
	}
	if r.node.ServiceRange.Contains(flow.Destination) {
		return r.allowsService(flow)
	}
	destination := r.endpoints[flow.Destination]
	if source := r.endpoints[flow.Source]; source != nil && source.egress.isolated {
		if !source.egress.allows(flow.Destination, flow, destination) {
			return false
		}
	}
	if destination == nil || !destination.ingress.isolated {
		return true
	}
	return destination.ingress.allows(flow.Source, flow, destination)
}

func (r *Rules) exempt(flow Flow) bool {
	return slices.Contains(r.node.Addresses, flow.Source) || slices.Contains(r.node.Addresses, flow.Destination)
}

// allowsService says whether a flow to a virtual address may begin: one without endpoints
// may, so that its client is refused and does not wait.
func (r *Rules) allowsService(flow Flow) bool {
	if r.node.Endpoints == nil {
		return true
	}
	endpoints := r.node.Endpoints(flow.Protocol, netip.AddrPortFrom(flow.Destination, flow.Port))
	if len(endpoints) == 0 {
		return true
	}
	return slices.ContainsFunc(endpoints, func(endpoint netip.AddrPort) bool {
		return r.Allows(Flow{Source: flow.Source, Destination: endpoint.Addr(), Protocol: flow.Protocol, Port: endpoint.Port()})
	})
}

func (d *direction) allows(peer netip.Addr, flow Flow, destination *endpoint) bool {
	for _, rule := range d.rules {
		if rule.ports.match(flow, destination) && rule.peers.match(peer) {
			return true
		}
	}
	return false
}

// Selected returns the addresses of the pods that policies select, on any node.
func (r *Rules) Selected() map[netip.Addr]Isolation {
	selected := map[netip.Addr]Isolation{}
	for address, pod := range r.endpoints {
		if pod.ingress.isolated || pod.egress.isolated {
			selected[address] = Isolation{Ingress: pod.ingress.isolated, Egress: pod.egress.isolated}
		}
	}
	return selected
}

// Problems returns what can not be enforced, in the order of the policies.
func (r *Rules) Problems() []Problem { return r.problems }
