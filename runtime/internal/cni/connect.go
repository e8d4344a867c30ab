package cni

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// endpoint is what connect has made.
type endpoint struct {
	host, pod netlink.Link
}

// connect makes the veth pair of an attachment, one end right in the pod's network
// namespace and under its final name, and the other a port of the bridge.
func connect(node *netlink.Handle, pod *podNamespace, config *Config, to attachment, address netip.Addr) (*endpoint, error) {
	bridge, err := node.LinkByName(config.Bridge)
	if err != nil {
		return nil, fmt.Errorf("bridge %s: %w", config.Bridge, err)
	}
	if err := requireFree(pod.Handle, to.owner.Interface); err != nil {
		return nil, err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = to.hostLink
	attributes.MTU = config.MTU
	pair := &netlink.Veth{
		LinkAttrs:        attributes,
		PeerName:         to.owner.Interface,
		PeerNamespace:    netlink.NsFd(pod.descriptor),
		PeerTxQLen:       -1,
		PeerHardwareAddr: HardwareAddress(address.AsSlice()),
	}
	if err := node.LinkAdd(pair); err != nil {
		return nil, fmt.Errorf("make veth pair %s: %w", to.hostLink, err)
	}
	host, err := plug(node, bridge, to.hostLink)
	if err != nil {
		return nil, err
	}
	inside, err := configure(pod.Handle, to.owner.Interface, config, address)
	if err != nil {
		return nil, err
	}
	return &endpoint{host: host, pod: inside}, nil
}

// requireFree makes sure that the pod has no link of the name yet: gVisor lets two
// links have the same one.
func requireFree(pod *netlink.Handle, name string) error {
	_, err := pod.LinkByName(name)
	if err == nil {
		return fmt.Errorf("the pod has a link %s already", name)
	}
	if !IsMissing(err) {
		return fmt.Errorf("look up link %s in the pod: %w", name, err)
	}
	return nil
}

func plug(node *netlink.Handle, bridge netlink.Link, name string) (netlink.Link, error) {
	link, err := node.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("look up link %s: %w", name, err)
	}
	if err := node.LinkSetMaster(link, bridge); err != nil {
		return nil, fmt.Errorf("plug %s into %s: %w", name, bridge.Attrs().Name, err)
	}
	if err := node.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("set %s up: %w", name, err)
	}
	return link, nil
}

// configure gives the pod's interface its address, and routes Services and all else to
// the addresses of the bridge that see to them.
func configure(pod *netlink.Handle, name string, config *Config, address netip.Addr) (netlink.Link, error) {
	if err := raiseLoopback(pod); err != nil {
		return nil, err
	}
	link, err := pod.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("look up link %s in the pod: %w", name, err)
	}
	if err := pod.AddrAdd(link, &netlink.Addr{IPNet: podAddress(config, address)}); err != nil {
		return nil, fmt.Errorf("give %s the address %s: %w", name, address, err)
	}
	if err := pod.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("set %s up: %w", name, err)
	}
	for _, route := range routes(config) {
		// Without the device a route reaches nothing in gVisor of 2024-07.
		added := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: route.destination, Gw: route.gateway.AsSlice()}
		if err := pod.RouteAdd(added); err != nil {
			return nil, fmt.Errorf("route to %s by %s: %w", route.destination, route.gateway, err)
		}
	}
	return link, nil
}

// podRoute is a route that every pod has.
type podRoute struct {
	destination *net.IPNet
	gateway     netip.Addr
}

// routes are a pod's routes beside that to the other pods.
func routes(config *Config) []podRoute {
	services := &net.IPNet{
		IP:   config.ServiceRange.Masked().Addr().AsSlice(),
		Mask: net.CIDRMask(config.ServiceRange.Bits(), config.ServiceRange.Addr().BitLen()),
	}
	everything := &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 8*net.IPv4len)}
	return []podRoute{{services, config.ServiceAddress}, {everything, config.Gateway}}
}

// podAddress is the address with the length of the cluster's range, so that the pod
// reaches all other pods by the bridge.
func podAddress(config *Config, address netip.Addr) *net.IPNet {
	return &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(config.ClusterRange.Bits(), address.BitLen())}
}
