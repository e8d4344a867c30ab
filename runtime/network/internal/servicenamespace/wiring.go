package servicenamespace

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/cni"
)

const (
	loopback = "lo"
	// innerLink is the name of the veth end inside.
	innerLink = "eth0"
)

// plug makes the veth pair, with one end in the namespace that the descriptor stands
// for and the other one a port of the bridge. It returns the bridge.
func plug(root *netlink.Handle, config Config, descriptor int) (netlink.Link, error) {
	bridge, err := root.LinkByName(config.Bridge)
	if err != nil {
		return nil, fmt.Errorf("look up bridge %s: %w", config.Bridge, err)
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = config.Link
	attributes.MTU = config.MTU
	pair := &netlink.Veth{
		LinkAttrs:     attributes,
		PeerName:      innerLink,
		PeerNamespace: netlink.NsFd(descriptor),
		PeerTxQLen:    -1,
		// Pods remember the address of the neighbour that they route by. It must not
		// change when this process is started again.
		PeerHardwareAddr: cni.HardwareAddress(config.ServiceAddress.Addr().AsSlice()),
	}
	if err := root.LinkAdd(pair); err != nil {
		return nil, fmt.Errorf("make veth pair %s: %w", config.Link, err)
	}
	outer, err := root.LinkByName(config.Link)
	if err != nil {
		return nil, fmt.Errorf("look up link %s: %w", config.Link, err)
	}
	if err := root.LinkSetMaster(outer, bridge); err != nil {
		return nil, fmt.Errorf("plug %s into %s: %w", config.Link, config.Bridge, err)
	}
	if err := root.LinkSetUp(outer); err != nil {
		return nil, fmt.Errorf("set %s up: %w", config.Link, err)
	}
	return bridge, nil
}

// configure gives the inner end its address and the default route, and returns its index.
func configure(inside *netlink.Handle, config Config) (int, error) {
	local, err := inside.LinkByName(loopback)
	if err != nil {
		return 0, fmt.Errorf("look up %s in the service namespace: %w", loopback, err)
	}
	if err := inside.LinkSetUp(local); err != nil {
		return 0, fmt.Errorf("set %s in the service namespace up: %w", loopback, err)
	}
	link, err := inside.LinkByName(innerLink)
	if err != nil {
		return 0, fmt.Errorf("look up %s in the service namespace: %w", innerLink, err)
	}
	if err := inside.AddrAdd(link, &netlink.Addr{IPNet: network(config.ServiceAddress)}); err != nil {
		return 0, fmt.Errorf("give the service namespace the address %s: %w", config.ServiceAddress, err)
	}
	if err := inside.LinkSetUp(link); err != nil {
		return 0, fmt.Errorf("set %s in the service namespace up: %w", innerLink, err)
	}
	// Without the device the route reaches nothing in gVisor of 2024-07.
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: config.NodeAddress.AsSlice()}
	if err := inside.RouteAdd(route); err != nil {
		return 0, fmt.Errorf("default route of the service namespace by %s: %w", config.NodeAddress, err)
	}
	return link.Attrs().Index, nil
}

// routeServiceRange lets the node and the sandbox's other processes reach virtual
// addresses. A killed process leaves its route behind, which is then kept or replaced.
func routeServiceRange(root *netlink.Handle, config Config, bridge netlink.Link) error {
	if err := removeServiceRoutes(root, config); err != nil {
		return err
	}
	route := &netlink.Route{
		LinkIndex: bridge.Attrs().Index,
		Dst:       network(config.ServiceRange.Masked()),
		Gw:        config.ServiceAddress.Addr().AsSlice(),
	}
	// Where routes can not be removed, the same one may be there from before.
	if err := root.RouteAdd(route); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("route %s by %s: %w", config.ServiceRange, config.ServiceAddress.Addr(), err)
	}
	return nil
}

// disconnect removes the route and the link. The bridge may be gone already, and the
// route with it.
func disconnect(config Config) error {
	root, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("rtnetlink socket: %w", err)
	}
	defer root.Close()
	return errors.Join(removeServiceRoutes(root, config), cni.RemoveLink(root, config.Link))
}

func removeServiceRoutes(root *netlink.Handle, config Config) error {
	bridge, err := root.LinkByName(config.Bridge)
	if cni.IsMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up bridge %s: %w", config.Bridge, err)
	}
	// No gateway: a route by another address, of an earlier configuration, goes too.
	err = root.RouteDel(&netlink.Route{LinkIndex: bridge.Attrs().Index, Dst: network(config.ServiceRange.Masked())})
	// gVisor of 2024-07 has no RTM_DELROUTE.
	if err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("remove the route of %s: %w", config.ServiceRange, err)
	}
	return nil
}

func network(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
}
