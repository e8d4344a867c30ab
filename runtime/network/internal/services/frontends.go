package services

import (
	"fmt"
	"net/netip"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// addAllocated adds the frontends at addresses and ports that the API server hands out.
func (b *builder) addAllocated(service *v1.Service, ports []servedPort) {
	for _, address := range b.clusterAddresses(service) {
		for i := range ports {
			served := &ports[i]
			frontend := Frontend{served.port.Name.Protocol, netip.AddrPortFrom(address, served.number)}
			if owner, taken := b.snapshot.Cluster[frontend]; taken {
				b.conflict(service, owner, frontend.Protocol, frontend.Address.String())
				continue
			}
			b.snapshot.Cluster[frontend] = served.port
		}
	}
	for i := range ports {
		if ports[i].nodePort != 0 {
			b.addNode(service, ports[i].port, ports[i].nodePort)
		}
	}
}

// clusterAddresses are the IPv4 ClusterIPs. Of a dual-stack Service that is one; an IPv6
// address has no clients, since pods have IPv4 addresses only.
func (b *builder) clusterAddresses(service *v1.Service) []netip.Addr {
	texts := service.Spec.ClusterIPs
	if len(texts) == 0 {
		texts = []string{service.Spec.ClusterIP}
	}
	addresses := make([]netip.Addr, 0, 1)
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil && b.nodes.LoopbackRange.Contains(address) {
			addresses = append(addresses, address)
		} else if address, err := unicastIPv4(text); err == nil {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// addChosen adds the frontends at addresses and ports that users or load balancers choose.
func (b *builder) addChosen(service *v1.Service, ports []servedPort) {
	if len(ports) == 0 {
		return
	}
	for _, text := range service.Spec.ExternalIPs {
		b.addExternal(service, ports, text, "externalIP")
	}
	if service.Spec.Type != v1.ServiceTypeLoadBalancer {
		return
	}
	limited := b.limitSources(service, ports)
	if isNodeLoadBalancer(service) {
		all := true
		for i := range limited {
			all = b.addNode(service, limited[i].port, limited[i].number) && all
		}
		if all {
			b.snapshot.LoadBalancers.Insert(nameOf(service))
		}
	}
	for i := range service.Status.LoadBalancer.Ingress {
		ingress := &service.Status.LoadBalancer.Ingress[i]
		// A proxy delivers to the node itself; only what arrives with the load balancer's
		// address as its destination is for the Service proxy (KEP-1860).
		if ingress.IP == "" || ingress.IPMode != nil && *ingress.IPMode == v1.LoadBalancerIPModeProxy {
			continue
		}
		if isNodeLoadBalancer(service) && b.isOwn(ingress.IP) {
			continue
		}
		b.addExternal(service, limited, ingress.IP, "load-balancer address")
	}
}

func (b *builder) isOwn(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && b.nodes.Addresses.Has(address)
}

// addExternal adds a Service's ports at an address. The spec's loadBalancerIP is none of
// them: it is a wish to whoever implements the load balancer, and deprecated.
func (b *builder) addExternal(service *v1.Service, ports []servedPort, text, what string) {
	if address, err := netip.ParseAddr(text); err == nil && address.Is6() {
		return
	}
	address, err := unicastIPv4(text)
	if err != nil {
		b.problem(serviceReference(service), ReasonInvalidAddress, "%s: %v", what, err)
		return
	}
	for i := range ports {
		served := &ports[i]
		if b.nodes.Addresses.Has(address) {
			b.addNode(service, served.port, served.number)
			continue
		}
		frontend := Frontend{served.port.Name.Protocol, netip.AddrPortFrom(address, served.number)}
		owner, taken := b.snapshot.Cluster[frontend]
		if !taken {
			owner, taken = b.snapshot.External[frontend]
		}
		if taken {
			b.conflict(service, owner, frontend.Protocol, frontend.Address.String())
			continue
		}
		b.snapshot.External[frontend] = served.port
	}
}

// addNode adds a port of the node, and tells whether the Service has it now.
func (b *builder) addNode(service *v1.Service, port *Port, number uint16) bool {
	frontend := NodeFrontend{port.Name.Protocol, number}
	if owner, taken := b.snapshot.Node[frontend]; taken {
		b.conflict(service, owner, frontend.Protocol, fmt.Sprintf("port %d of the node", number))
		return owner.Name == port.Name
	}
	b.snapshot.Node[frontend] = port
	return true
}

// conflict records that another Service has an address. The same Service having it twice,
// as an externalIP and as its load balancer's, is no conflict.
func (b *builder) conflict(service *v1.Service, owner *Port, protocol v1.Protocol, address string) {
	if owner.Name.Service != nameOf(service) {
		b.problem(serviceReference(service), ReasonPortConflict, "%s %s is Service %s's", protocol, address, owner.Name.Service)
	}
}

// limitSources returns the ports as the clients of a load balancer may use them.
func (b *builder) limitSources(service *v1.Service, ports []servedPort) []servedPort {
	sources, limited := b.sourceRanges(service)
	if !limited {
		return ports
	}
	copies := make([]servedPort, len(ports))
	for i, served := range ports {
		port := *served.port
		port.Sources = sources
		served.port = &port
		copies[i] = served
	}
	return copies
}

// sourceRanges returns loadBalancerSourceRanges, and whether they keep anyone out. Ranges
// that are not IPv4 match no client, and a Service with no other range has none.
func (b *builder) sourceRanges(service *v1.Service) ([]netip.Prefix, bool) {
	if len(service.Spec.LoadBalancerSourceRanges) == 0 {
		return nil, false
	}
	sources := make([]netip.Prefix, 0, len(service.Spec.LoadBalancerSourceRanges))
	for _, text := range service.Spec.LoadBalancerSourceRanges {
		// Validation lets white space pass.
		prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
		switch {
		case err != nil:
			b.problem(serviceReference(service), ReasonInvalidSourceRange, "loadBalancerSourceRange %q is not a range of addresses", text)
		case prefix.Bits() == 0 && prefix.Addr().Is4():
			return nil, false
		case prefix.Addr().Is4():
			sources = append(sources, prefix.Masked())
		}
	}
	return sources, true
}
