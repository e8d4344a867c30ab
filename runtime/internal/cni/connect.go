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
	host, err := plug(node, bridge, to.hostLink, config.Hairpin)
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

func plug(node *netlink.Handle, bridge netlink.Link, name string, hairpin bool) (netlink.Link, error) {
	link, err := node.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("look up link %s: %w", name, err)
	}
	if err := node.LinkSetMaster(link, bridge); err != nil {
		return nil, fmt.Errorf("plug %s into %s: %w", name, bridge.Attrs().Name, err)
	}
	if hairpin {
		if err := node.LinkSetHairpin(link, true); err != nil {
			return nil, fmt.Errorf("set hairpin on %s: %w", name, err)
		}
	}
	if err := node.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("set %s up: %w", name, err)
	}
	return link, nil
}

// configure gives the pod's interface its address and routes all else to the gateway.
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
	// Without the device the route reaches nothing in gVisor of 2024-07.
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: config.Gateway.AsSlice()}
	if err := pod.RouteAdd(route); err != nil {
		return nil, fmt.Errorf("default route by %s: %w", config.Gateway, err)
	}
	return link, nil
}

// podAddress is the address with the length of the range, so that the pod reaches
// the other pods of the node by the bridge.
func podAddress(config *Config, address netip.Addr) *net.IPNet {
	return &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(config.PodRange.Bits(), address.BitLen())}
}
