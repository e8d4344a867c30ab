package cni

import (
	"context"
	"fmt"
	"net"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// check is the operation CHECK: it compares what is there with the result of ADD.
func check(ctx context.Context, config *Config, args *skel.CmdArgs) error {
	to := attachmentOf(args)
	previous, err := config.previous()
	if err != nil {
		return err
	}
	leases, err := config.leases()
	if err != nil {
		return err
	}
	address, leased, err := leases.Lookup(ctx, to.owner)
	if err != nil {
		return err
	}
	if !leased {
		return errMissing("no address is leased to %s of container %s", to.owner.Interface, to.owner.ContainerID)
	}
	want := podAddress(config, address)
	for _, ip := range previous.IPs {
		if ip.Address.String() != want.String() {
			return errMissing("the address of ADD is %s, the one that is leased %s", ip.Address.String(), want)
		}
	}
	if err := checkHostLink(config, to.hostLink); err != nil {
		return err
	}
	pod, err := openNamespace(args.Netns)
	if err != nil {
		return err
	}
	defer pod.close()
	return checkPodLink(pod.Handle, to.owner.Interface, want, routes(config))
}

func checkHostLink(config *Config, name string) error {
	node, err := nodeLinks()
	if err != nil {
		return err
	}
	defer node.Close()
	bridge, err := node.LinkByName(config.Bridge)
	if err != nil {
		return fmt.Errorf("bridge %s: %w", config.Bridge, err)
	}
	link, err := node.LinkByName(name)
	if err != nil {
		return fmt.Errorf("the pod's link %s on the node: %w", name, err)
	}
	// gVisor of 2024-07 does not report the bridge of a port.
	if master := link.Attrs().MasterIndex; master != 0 && master != bridge.Attrs().Index {
		return errMissing("%s is not a port of %s", name, config.Bridge)
	}
	return nil
}

func checkPodLink(pod *netlink.Handle, name string, want *net.IPNet, wanted []podRoute) error {
	link, err := pod.LinkByName(name)
	if err != nil {
		return fmt.Errorf("the pod's link %s: %w", name, err)
	}
	if link.Attrs().Flags&net.FlagUp == 0 {
		return errMissing("the pod's link %s is down", name)
	}
	addresses, err := pod.AddrList(link, unix.AF_INET)
	if err != nil {
		return fmt.Errorf("addresses of %s: %w", name, err)
	}
	if !hasAddress(addresses, want) {
		return errMissing("the pod's link %s does not have the address %s", name, want)
	}
	found, err := pod.RouteList(link, unix.AF_INET)
	if err != nil {
		return fmt.Errorf("routes of %s: %w", name, err)
	}
	for _, route := range wanted {
		if !hasRoute(found, route) {
			return errMissing("the pod has no route to %s by %s on %s", route.destination, route.gateway, name)
		}
	}
	return nil
}

func hasAddress(addresses []netlink.Addr, want *net.IPNet) bool {
	for _, address := range addresses {
		if address.IPNet != nil && address.IPNet.String() == want.String() {
			return true
		}
	}
	return false
}

func hasRoute(found []netlink.Route, wanted podRoute) bool {
	for _, route := range found {
		destination := "0.0.0.0/0"
		if route.Dst != nil {
			destination = route.Dst.String()
		}
		if destination == wanted.destination.String() && route.Gw.Equal(wanted.gateway.AsSlice()) {
			return true
		}
	}
	return false
}

// errMissing says what CHECK has found to be gone.
func errMissing(format string, args ...any) error {
	return types.NewError(types.ErrInternal, fmt.Sprintf(format, args...), "")
}
