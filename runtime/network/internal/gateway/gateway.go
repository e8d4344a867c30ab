// Package gateway is the way of pods to all that lies outside the pod network: a
// user-space network stack on a port of the pod bridge ends their connections and makes
// them anew from the node's own network namespace. It takes the place of forwarding and
// masquerading where there are no packet filters.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Protocol is the name of a transport protocol, in the Kubernetes API's spelling.
type Protocol string

// The protocols that the gateway carries.
const (
	TCP  Protocol = "TCP"
	UDP  Protocol = "UDP"
	ICMP Protocol = "ICMP"
)

// Config is what a gateway needs to know.
type Config struct {
	// Bridge is the name of the pod bridge.
	Bridge string
	// Link is the name that the gateway's TAP device gets; a link of that name is removed.
	Link string
	// Address is the gateway's own address. Its prefix is the range of the pods.
	Address netip.Prefix
	// MTU is that of the pods' links, in bytes.
	MTU int
	// Allow says whether a pod may begin a flow; nil: always. Packets of a flow that it
	// denies are dropped, and it is asked again when the pod tries again. The port is 0
	// for ICMP. It must not block.
	Allow func(client netip.Addr, protocol Protocol, to netip.AddrPort) bool
	// Redirect says where a new TCP or UDP flow goes instead, if anywhere; nil: nowhere.
	// It is the only way by which a pod reaches a loopback address. It must not block.
	Redirect func(protocol Protocol, to netip.AddrPort) (netip.AddrPort, bool)
	// Logger must be set.
	Logger *slog.Logger
}

// Gateway carries the pods' traffic from Open until Close.
type Gateway struct {
	logger *slog.Logger
	link   *link
	stack  *stack.Stack
	flows  []*flowTable
	// cancel ends the connections that are being made.
	cancel context.CancelFunc
	close  sync.Once
}

// Open makes the TAP device, plugs it into the bridge and starts the stack behind it.
// Nothing is carried before Run.
func Open(config Config) (*Gateway, error) {
	if !config.Address.IsValid() || !config.Address.Addr().Is4() {
		return nil, fmt.Errorf("gateway address %s is not an IPv4 address with a prefix", config.Address)
	}
	routes, err := newRoutes(&config)
	if err != nil {
		return nil, err
	}
	tap, err := openTAP(config.Link, config.Bridge, config.MTU)
	if err != nil {
		return nil, err
	}
	link := newLink(tap, config.Address, config.MTU)
	netstack, err := newStack(link, config.Address)
	if err != nil {
		return nil, errors.Join(err, tap.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	gateway := &Gateway{logger: config.Logger, link: link, stack: netstack, cancel: cancel}
	writer := &packetWriter{stack: netstack, address: config.Address.Addr()}
	gateway.flows = []*flowTable{
		carryUDP(netstack, routes, writer, config.Logger),
		carryPing(netstack, routes, writer, config.Logger),
	}
	carryTCP(ctx, netstack, routes, writer, config.Logger)
	return gateway, nil
}

// Run carries the pods' traffic until the context ends, which is no error, or the TAP
// device fails.
func (g *Gateway) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = g.link.tap.Close() })
	defer stop()
	err := g.link.run()
	if ctx.Err() != nil || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// Close ends all flows and removes the TAP device.
func (g *Gateway) Close() error {
	var err error
	g.close.Do(func() {
		g.cancel()
		for _, table := range g.flows {
			table.close()
		}
		g.stack.Close()
		if err = g.link.tap.Close(); errors.Is(err, os.ErrClosed) {
			err = nil
		}
	})
	return err
}
