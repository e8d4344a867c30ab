// Package loopback has virtual addresses of Services in the loopback range, 127.0.0.0/8.
// Every address of it is there without being added, and to listen at one takes no
// privilege. It is seen by all that share the calling process's network namespace.
package loopback

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"sandkube.dev/runtime/network/internal/forward"
)

// Range is the loopback range. Addresses outside of it are refused.
type Range struct{}

// AddAddress makes sure that an address is in the range.
func (Range) AddAddress(address netip.Addr) error {
	if !address.Is4() || !address.IsLoopback() {
		return fmt.Errorf("the virtual address %s is not in 127.0.0.0/8", address)
	}
	return nil
}

// RemoveAddress has nothing to remove.
func (Range) RemoveAddress(netip.Addr) error { return nil }

// ListenTCP listens at an address of the range.
func (r Range) ListenTCP(at netip.AddrPort) (*net.TCPListener, error) {
	if err := r.AddAddress(at.Addr()); err != nil {
		return nil, err
	}
	return forward.ListenTCP(context.Background(), at)
}

// ListenUDP opens a datagram socket at an address of the range.
func (r Range) ListenUDP(at netip.AddrPort) (*net.UDPConn, error) {
	if err := r.AddAddress(at.Addr()); err != nil {
		return nil, err
	}
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
}
