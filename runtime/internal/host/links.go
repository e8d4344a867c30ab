package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/cni"
	"sandkube.dev/runtime/internal/nodespec"
)

const loopback = "lo"

func raiseLoopback(journal *journal, links *netlink.Handle) error {
	link, err := links.LinkByName(loopback)
	if err != nil {
		return fmt.Errorf("look up %s: %w", loopback, err)
	}
	raised := change{Kind: linkRaised, Target: loopback}
	if link.Attrs().Flags&net.FlagUp != 0 {
		_, err := journal.join(raised)
		return err
	}
	if err := journal.note(raised); err != nil {
		return err
	}
	if err := links.LinkSetUp(link); err != nil {
		return fmt.Errorf("%s is down and can not be set up: %w", loopback, err)
	}
	return nil
}

func lowerLink(links *netlink.Handle, name string) error {
	link, err := links.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look up %s: %w", name, err)
	}
	if err := links.LinkSetDown(link); err != nil {
		return fmt.Errorf("set %s down: %w", name, err)
	}
	return nil
}

// makeBridge makes the pod bridge, or completes one that this cluster has made.
func makeBridge(journal *journal, links *netlink.Handle, spec *nodespec.NodeSpec) error {
	name := spec.Node.Network.Bridge
	made := change{Kind: bridgeMade, Target: name}
	if cluster, _, taken := journal.sharer(made); taken {
		return fmt.Errorf("the bridge %s belongs to cluster %q", name, cluster)
	}
	addresses, err := bridgeAddresses(spec)
	if err != nil {
		return err
	}
	bridge, err := links.LinkByName(name)
	switch {
	case cni.IsMissing(err):
		if bridge, err = addBridge(journal, links, made, spec.Node.Network.MTU, addresses[0].IP); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("look up bridge %s: %w", name, err)
	case !journal.has(made):
		return fmt.Errorf("there is a link named %s already, and this cluster has not made it", name)
	}
	for _, address := range addresses {
		if err := links.AddrAdd(bridge, &netlink.Addr{IPNet: address}); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("give %s the address %s: %w", name, address, err)
		}
	}
	if err := links.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

func addBridge(journal *journal, links *netlink.Handle, made change, mtu int, address net.IP) (netlink.Link, error) {
	if err := journal.note(made); err != nil {
		return nil, err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = made.Target
	attributes.MTU = mtu
	// Without an address of its own a bridge takes the lowest of its ports', which
	// changes as pods come and go, and the pods' neighbour entries with it.
	attributes.HardwareAddr = cni.HardwareAddress(address)
	if err := links.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		return nil, fmt.Errorf("make bridge %s: %w", made.Target, err)
	}
	bridge, err := links.LinkByName(made.Target)
	if err != nil {
		return nil, fmt.Errorf("look up the new bridge %s: %w", made.Target, err)
	}
	return bridge, nil
}

// bridgeAddresses are those of the nodes. The first one brings the route to the pods of all
// nodes, so the others have none of their own.
func bridgeAddresses(spec *nodespec.NodeSpec) ([]*net.IPNet, error) {
	podRange, err := netip.ParsePrefix(spec.ControlPlane.PodRange)
	if err != nil {
		return nil, fmt.Errorf("controlPlane.podRange: %w", err)
	}
	bits := podRange.Bits()
	var addresses []*net.IPNet
	for _, node := range spec.Nodes {
		address, err := netip.ParseAddr(node.Address)
		if err != nil {
			return nil, fmt.Errorf("address of node %s: %w", node.Name, err)
		}
		if !podRange.Contains(address) {
			return nil, fmt.Errorf("address %s of node %s is not in the pod range %s", address, node.Name, podRange)
		}
		addresses = append(addresses, &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(bits, address.BitLen())})
		bits = address.BitLen()
	}
	return addresses, nil
}

// removeBridge removes the links of its ports first: without their bridge they would stay.
func removeBridge(links *netlink.Handle, name string, podLinks []string) error {
	ports, err := cni.PodLinks(links, name)
	if err != nil {
		return err
	}
	var errs []error
	network := nodespec.Network{Bridge: name}
	rest := append(podLinks, network.ServiceLink(), network.GatewayLink(), name)
	for _, link := range append(ports, rest...) {
		errs = append(errs, cni.RemoveLink(links, link))
	}
	return errors.Join(errs...)
}
