package servicenamespace

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// ListenTCP listens inside the namespace. Keep-alive of what is accepted is off: the
// one who accepts sets it as needed.
func (n *Namespace) ListenTCP(at netip.AddrPort) (*net.TCPListener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	var made net.Listener
	err := n.Do(func() (err error) {
		// An address needs no resolver: the socket is made on this thread.
		made, err = config.Listen(context.Background(), "tcp4", at.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("in the service namespace: %w", err)
	}
	// The network "tcp4" has no other listeners.
	return made.(*net.TCPListener), nil
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
