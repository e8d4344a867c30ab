package gateway

import (
	"fmt"
	"net"
	"net/netip"
)

// verdict is what becomes of a new flow.
type verdict int

const (
	// drop: the pod hears nothing.
	drop verdict = iota
	// refuse: the pod hears that nobody listens.
	refuse
	// dial: the flow goes on.
	dial
)

// routes decides where flows of pods go.
type routes struct {
	pods     netip.Prefix
	node     []netip.Addr
	allow    func(client netip.Addr, protocol Protocol, to netip.AddrPort) bool
	redirect func(protocol Protocol, to netip.AddrPort) (netip.AddrPort, bool)
}

func newRoutes(config *Config) (*routes, error) {
	node, err := linkAddresses(config.Bridge)
	if err != nil {
		return nil, err
	}
	routes := &routes{
		pods: config.Address.Masked(), node: node,
		allow: config.Allow, redirect: config.Redirect,
	}
	if routes.allow == nil {
		routes.allow = func(netip.Addr, Protocol, netip.AddrPort) bool { return true }
	}
	if routes.redirect == nil {
		routes.redirect = func(Protocol, netip.AddrPort) (netip.AddrPort, bool) { return netip.AddrPort{}, false }
	}
	return routes, nil
}

// linkAddresses are the addresses of the bridge, which are the node's.
func linkAddresses(name string) ([]netip.Addr, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("bridge %s: %w", name, err)
	}
	found, err := link.Addrs()
	if err != nil {
		return nil, fmt.Errorf("addresses of %s: %w", name, err)
	}
	var addresses []netip.Addr
	for _, each := range found {
		prefix, err := netip.ParsePrefix(each.String())
		if err != nil {
			return nil, fmt.Errorf("address of %s: %w", name, err)
		}
		addresses = append(addresses, prefix.Addr())
	}
	return addresses, nil
}

// decide says what becomes of a new flow, and where it goes.
func (r *routes) decide(client netip.Addr, protocol Protocol, to netip.AddrPort) (netip.AddrPort, verdict) {
	if !r.allow(client, protocol, to) {
		return to, drop
	}
	if protocol != ICMP {
		if instead, ok := r.redirect(protocol, to); ok {
			return instead, dial
		}
	}
	return to, r.judge(to.Addr())
}

// judge keeps pods from what a node's own programs alone can reach. Dialing 0.0.0.0
// reaches the loopback address too.
func (r *routes) judge(to netip.Addr) verdict {
	switch first := to.As4()[0]; {
	case first >= 224:
		return drop // Multicast, reserved and broadcast.
	case to.IsLoopback() || first == 0:
		return refuse
	case r.pods.Contains(to):
		for _, address := range r.node {
			if to == address {
				return dial
			}
		}
		return refuse
	}
	return dial
}
