package main

import (
	"context"
	"net"

	"sandkube.dev/runtime/network/internal/forward"
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
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	port := &services.Port{Internal: []services.Endpoint{{Address: n.advertisedAPI}}}
	backends := forward.NewServicePort(port, n.balancer, nil, nil)
	ready()
	forward.New(n.dial, n.log).ServeTCP(ctx, listener, backends)
	return nil
}
