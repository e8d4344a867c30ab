package main

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"sandkube.dev/runtime/network/internal/relay"
	"sandkube.dev/runtime/network/internal/services"
)

// runAPIServerPort lets pods reach the API server at the address that it advertises,
// though it listens on the loopback address only.
func (n *network) runAPIServerPort(ctx context.Context, ready func()) error {
	if n.listeningAPI == n.advertisedAPI {
		ready()
		<-ctx.Done()
		return nil
	}
	listener, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(n.advertisedAPI))
	if err != nil {
		return err
	}
	router := &relay.Router{Balancer: n.balancer, Allow: n.allows, Dial: n.dialAddress}
	port := &services.Port{Internal: []services.Endpoint{{Address: n.advertisedAPI}}}
	inside := func(netip.Addr) bool { return false }
	server := router.ServeTCP(listener, port, inside, n.log)
	ready()
	<-ctx.Done()
	if err := server.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
