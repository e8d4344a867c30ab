package gateway

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// openTAP makes a TAP device that is up and a port of the bridge. It goes away with
// its descriptor, however the process ends.
func openTAP(name, bridge string, mtu int) (*os.File, error) {
	if err := removeLink(name); err != nil {
		return nil, err
	}
	descriptor, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", tunDevice, err)
	}
	if err := createTAP(descriptor, name); err != nil {
		return nil, errors.Join(err, unix.Close(descriptor))
	}
	// A device can be waited on only once it has its interface: not before here.
	tap := os.NewFile(uintptr(descriptor), tunDevice)
	if err := plug(name, bridge, mtu); err != nil {
		return nil, errors.Join(err, tap.Close())
	}
	return tap, nil
}

func createTAP(descriptor int, name string) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("link name %q: %w", name, err)
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(descriptor, unix.TUNSETIFF, request); err != nil {
		return fmt.Errorf("make TAP device %s: %w", name, err)
	}
	return nil
}

func plug(name, bridge string, mtu int) error {
	master, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("bridge %s: %w", bridge, err)
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look up link %s: %w", name, err)
	}
	if err := netlink.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("set the MTU of %s to %d: %w", name, mtu, err)
	}
	if err := netlink.LinkSetMaster(link, master); err != nil {
		return fmt.Errorf("plug %s into %s: %w", name, bridge, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// removeLink removes a link if there is one.
func removeLink(name string) error {
	link, err := netlink.LinkByName(name)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up link %s: %w", name, err)
	}
	if err := netlink.LinkDel(link); err != nil && !isMissing(err) {
		return fmt.Errorf("delete link %s: %w", name, err)
	}
	return nil
}

func isMissing(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV)
}
