package services

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// condition says what a connection may expect of an endpoint.
type condition struct {
	ready bool
	// draining endpoints end, and still answer.
	draining bool
	// node is the name of the node that the endpoint is on; empty when it is on none of the
	// cluster's.
	node string
}

// backend is an address of a slice; its ports are the slice's.
type backend struct {
	address netip.Addr
	condition
}

// backendGroup is what one EndpointSlice says.
type backendGroup struct {
	ports    []discoveryv1.EndpointPort
	backends []backend
}

// candidate is a backend at one port.
type candidate struct {
	address netip.AddrPort
	condition
}

// readSlice parses a slice. What it can not use it leaves out, with one Problem for each
// reason: a slice holds up to 1,000 endpoints that are often all wrong in the same way.
func (b *builder) readSlice(slice *discoveryv1.EndpointSlice) backendGroup {
	if slice.AddressType != discoveryv1.AddressTypeIPv4 {
		b.problem(sliceReference(slice), ReasonUnsupportedAddressType,
			"endpoints of address type %q are not served, only IPv4", slice.AddressType)
		return backendGroup{}
	}
	group := backendGroup{backends: make([]backend, 0, len(slice.Endpoints))}
	var badPort, badAddress error
	for i := range slice.Ports {
		port := &slice.Ports[i]
		if _, err := endpointPort(port); err != nil {
			badPort = cmp.Or(badPort, fmt.Errorf("port %q: %w", portName(port), err))
			continue
		}
		group.ports = append(group.ports, *port)
	}
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		address, err := endpointAddress(endpoint)
		if err != nil {
			badAddress = cmp.Or(badAddress, fmt.Errorf("endpoint %d: %w", i, err))
			continue
		}
		group.backends = append(group.backends, backend{address, b.conditionOf(endpoint)})
	}
	if badPort != nil {
		b.problem(sliceReference(slice), ReasonInvalidPort, "%v", badPort)
	}
	if badAddress != nil {
		b.problem(sliceReference(slice), ReasonInvalidAddress, "%v", badAddress)
	}
	return group
}

// conditionOf reads an endpoint's conditions. An unset ready or serving means true
// (KEP-752, KEP-1672); an endpoint without a node is local to none.
//
// Topology hints have no say: they choose among zones and nodes, and all endpoints here are
// in one zone, and no nearer or farther on one node than on another.
func (b *builder) conditionOf(endpoint *discoveryv1.Endpoint) condition {
	conditions := &endpoint.Conditions
	ready := conditions.Ready == nil || *conditions.Ready
	serving := conditions.Serving == nil || *conditions.Serving
	terminating := conditions.Terminating != nil && *conditions.Terminating
	read := condition{ready: ready, draining: serving && terminating}
	if endpoint.NodeName != nil && slices.Contains(b.nodes.Names, *endpoint.NodeName) {
		read.node = *endpoint.NodeName
	}
	return read
}

// endpointAddress is the first address: no others have a meaning (KEP-752).
func endpointAddress(endpoint *discoveryv1.Endpoint) (netip.Addr, error) {
	if len(endpoint.Addresses) == 0 {
		return netip.Addr{}, fmt.Errorf("has no address")
	}
	return unicastIPv4(endpoint.Addresses[0])
}

// unicastIPv4 parses an address that connections can be forwarded to or accepted at. It
// refuses what the API server refuses as well (ValidateNonSpecialIP, CVE-2021-25737), so
// that no object that came around validation leads to the node's own loopback.
func unicastIPv4(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", text)
	case !address.Is4():
		return netip.Addr{}, fmt.Errorf("%q is not an IPv4 address", text)
	case address.IsUnspecified(), address.IsLoopback(), address.IsMulticast(), address.IsLinkLocalUnicast(),
		address == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Addr{}, fmt.Errorf("%q is not an address of a host", text)
	}
	return address, nil
}

func endpointPort(port *discoveryv1.EndpointPort) (uint16, error) {
	if port.Port == nil {
		return 0, fmt.Errorf("has no number")
	}
	return portNumber(*port.Port)
}

func portNumber(number int32) (uint16, error) {
	if number < 1 || number > math.MaxUint16 {
		return 0, fmt.Errorf("%d is not a port number", number)
	}
	return uint16(number), nil
}

func portName(port *discoveryv1.EndpointPort) string {
	if port.Name == nil {
		return ""
	}
	return *port.Name
}

func portProtocol(port *discoveryv1.EndpointPort) v1.Protocol {
	if port.Protocol == nil {
		return v1.ProtocolTCP
	}
	return *port.Protocol
}

// candidates returns the backends of one Service port, sorted and without duplicates. An
// endpoint may be in two slices while it moves from one to another; then what any of them
// grants holds.
func (b *builder) candidates(name PortName, groups []backendGroup) []candidate {
	found := b.scratch[:0]
	for i := range groups {
		group := &groups[i]
		for p := range group.ports {
			port := &group.ports[p]
			if portName(port) != name.Port || portProtocol(port) != name.Protocol {
				continue
			}
			number, err := endpointPort(port)
			if err != nil {
				continue
			}
			for _, backend := range group.backends {
				found = append(found, candidate{netip.AddrPortFrom(backend.address, number), backend.condition})
			}
		}
	}
	b.scratch = found
	slices.SortFunc(found, func(one, other candidate) int { return one.address.Compare(other.address) })
	unique := found[:0]
	for _, next := range found {
		if last := len(unique) - 1; last >= 0 && unique[last].address == next.address {
			unique[last].ready = unique[last].ready || next.ready
			unique[last].draining = unique[last].draining || next.draining
			unique[last].node = cmp.Or(unique[last].node, next.node)
			continue
		}
		unique = append(unique, next)
	}
	return unique
}

// usable returns the candidates that may serve a client, and if that depends on the
// client's node, those of each node.
func (b *builder) usable(candidates []candidate, localOnly bool) (all []Endpoint, on map[string][]Endpoint) {
	if !localOnly {
		return alive(candidates, func(condition) bool { return true }), nil
	}
	on = make(map[string][]Endpoint)
	for _, node := range b.nodes.Names {
		if found := alive(candidates, func(c condition) bool { return c.node == node }); found != nil {
			on[node] = found
			all = append(all, found...)
		}
	}
	slices.SortFunc(all, func(one, other Endpoint) int { return one.Address.Compare(other.Address) })
	return all, on
}

// alive returns those of some candidates that are ready, or when there are none the draining
// ones (KEP-1669: a Service whose last endpoints terminate keeps answering).
func alive(candidates []candidate, among func(condition) bool) []Endpoint {
	pick := func(wanted func(condition) bool) []Endpoint {
		count := 0
		for i := range candidates {
			if among(candidates[i].condition) && wanted(candidates[i].condition) {
				count++
			}
		}
		if count == 0 {
			return nil
		}
		endpoints := make([]Endpoint, 0, count)
		for i := range candidates {
			if among(candidates[i].condition) && wanted(candidates[i].condition) {
				endpoints = append(endpoints, Endpoint{candidates[i].address})
			}
		}
		return endpoints
	}
	if ready := pick(func(c condition) bool { return c.ready }); ready != nil {
		return ready
	}
	return pick(func(c condition) bool { return c.draining })
}
