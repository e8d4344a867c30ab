// Package servicenamespace keeps the network namespace in which the virtual addresses
// of Services live. Apart from the sandbox's own namespace, a listener at
// 10.43.0.1:443 does not collide with a program that listens on 0.0.0.0:443.
package servicenamespace

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/cni"
)

// Config says how the namespace hangs in the pod network.
type Config struct {
	// Bridge is the pod bridge, in the network namespace of the calling process.
	Bridge string
	// Link is the name of the port of the bridge; at most 15 bytes.
	Link string
	// ServiceAddress is the namespace's address in the pod range, by which pods and
	// the node route the Service range, such as 10.42.0.254/24.
	ServiceAddress netip.Prefix
	// ServiceRange is where virtual addresses are taken from, such as 10.43.0.0/16.
	ServiceRange netip.Prefix
	// NodeAddress is the bridge's own address. The namespace's default route goes by it.
	NodeAddress netip.Addr
	// MTU of both ends of the veth pair, in bytes.
	MTU int
}

// Namespace is an open service namespace. Its methods may be called at the same time.
type Namespace struct {
	config Config
	thread *thread
	// inside is the rtnetlink socket in the namespace, inner the index of its link there.
	inside *netlink.Handle
	inner  int

	closing sync.Once
}

// Open makes the namespace and plugs it into the bridge. What a killed process has
// left under the same link name is removed first.
func Open(config Config) (*Namespace, error) {
	if !config.ServiceAddress.Addr().Is4() || !config.ServiceRange.Addr().Is4() || !config.NodeAddress.Is4() {
		return nil, fmt.Errorf("the service address %s, the Service range %s and the node address %s must be IPv4", config.ServiceAddress, config.ServiceRange, config.NodeAddress)
	}
	root, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("rtnetlink socket: %w", err)
	}
	defer root.Close()
	if err := cni.RemoveLink(root, config.Link); err != nil {
		return nil, err
	}
	thread, descriptor, err := startThread()
	if err != nil {
		return nil, err
	}
	opened := &Namespace{config: config, thread: thread}
	err = opened.build(root, descriptor)
	// A descriptor that is only read has nothing to lose on close.
	_ = unix.Close(descriptor)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

func (n *Namespace) build(root *netlink.Handle, descriptor int) error {
	bridge, err := plug(root, n.config, descriptor)
	if err != nil {
		return err
	}
	err = n.thread.do(func() error {
		// The socket stays in the namespace in which it is made.
		if n.inside, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
			return fmt.Errorf("rtnetlink socket in the service namespace: %w", err)
		}
		n.inner, err = configure(n.inside, n.config)
		return err
	})
	if err != nil {
		return err
	}
	return routeServiceRange(root, n.config, bridge)
}

// Do runs work on the thread that is in the namespace: a socket that work makes
// belongs to the namespace for good.
func (n *Namespace) Do(work func() error) error { return n.thread.do(work) }

// AddAddress makes a virtual address reachable. It is no error if it is already there.
func (n *Namespace) AddAddress(address netip.Addr) error {
	err := n.Do(func() error { return n.inside.AddrAdd(n.link(), hostAddress(address)) })
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add the virtual address %s: %w", address, err)
	}
	return nil
}

// RemoveAddress takes a virtual address away. It is no error if it is not there.
func (n *Namespace) RemoveAddress(address netip.Addr) error {
	err := n.Do(func() error { return n.inside.AddrDel(n.link(), hostAddress(address)) })
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("remove the virtual address %s: %w", address, err)
	}
	return nil
}

func (n *Namespace) link() netlink.Link {
	attributes := netlink.NewLinkAttrs()
	attributes.Index = n.inner
	return &netlink.Veth{LinkAttrs: attributes}
}

func hostAddress(address netip.Addr) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(address.BitLen(), address.BitLen())}}
}

// Close removes the route and the link, and lets the namespace go. Sockets that were
// made inside are left to their owners.
func (n *Namespace) Close() error {
	var err error
	n.closing.Do(func() {
		err = disconnect(n.config)
		// First the thread: a closed handle would open sockets wherever it is used.
		n.thread.end()
		if n.inside != nil {
			n.inside.Close()
		}
	})
	return err
}
