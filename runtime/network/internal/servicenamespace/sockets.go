package servicenamespace

import (
	"fmt"
	"net"
	"net/netip"
)

// ListenTCP listens inside the namespace.
func (n *Namespace) ListenTCP(at netip.AddrPort) (*net.TCPListener, error) {
	var made *net.TCPListener
	err := n.Do(func() (err error) {
		made, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("in the service namespace: %w", err)
	}
	return made, nil
}

// ListenUDP opens a datagram socket inside the namespace. What it sends leaves from
// the address at which it listens.
func (n *Namespace) ListenUDP(at netip.AddrPort) (*net.UDPConn, error) {
	var made *net.UDPConn
	err := n.Do(func() (err error) {
		made, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("in the service namespace: %w", err)
	}
	return made, nil
}
