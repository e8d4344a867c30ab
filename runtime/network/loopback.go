package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/network/internal/forward"
)

// runLoopbackPorts lets pods reach servers of the sandbox that listen on its loopback
// address alone, such as its proxy to the outside, at the node's address.
func (n *network) runLoopbackPorts(ctx context.Context, ready func()) error {
	var served sync.WaitGroup
	defer served.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, port := range n.spec.Node.Network.LoopbackPorts {
		at := netip.AddrPortFrom(n.nodeAddress, uint16(port))
		listener, err := forward.ListenTCP(ctx, at)
		if errors.Is(err, unix.EADDRINUSE) {
			// A server that listens at all addresses is reached without help.
			n.log.Info("another program listens at the node's address", "address", at)
			continue
		}
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { _ = listener.Close() })
		server := loopbackServer{
			address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)),
			clients: n.podRange,
		}
		served.Go(func() { forward.New(nil, n.log).ServeTCP(ctx, listener, server) })
	}
	ready()
	<-ctx.Done()
	return nil
}

// loopbackServer is the one backend of a port of the loopback address. Only pods may use
// it: whoever else reaches the node's address may come from outside of the sandbox.
type loopbackServer struct {
	address netip.AddrPort
	clients netip.Prefix
}

var _ forward.Backends = loopbackServer{}

// Pick implements forward.Backends.
func (s loopbackServer) Pick(client forward.Client) (netip.AddrPort, bool) {
	return s.address, s.clients.Contains(client.Address)
}

// PickOther implements forward.Backends.
func (s loopbackServer) PickOther(forward.Client, netip.AddrPort) (netip.AddrPort, bool) {
	return netip.AddrPort{}, false
}

// Has implements forward.Backends.
func (s loopbackServer) Has(backend netip.AddrPort) bool { return backend == s.address }
