package main

import (
	"context"
	"errors"
	"net/netip"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/gateway"
	"sandkube.dev/runtime/network/internal/policy"
)

// runGateway carries what pods send to the outside.
func (n *network) runGateway(ctx context.Context, ready func()) (err error) {
	address, err := netip.ParseAddr(n.spec.Node.Network.GatewayAddress)
	if err != nil {
		return err
	}
	carrier, err := gateway.Open(gateway.Config{
		Bridge:  n.spec.Node.Network.Bridge,
		Link:    n.spec.Node.Network.GatewayLink(),
		Address: netip.PrefixFrom(address, n.podRange.Bits()),
		MTU:     n.spec.Node.Network.MTU,
		Allow: func(client netip.Addr, protocol gateway.Protocol, to netip.AddrPort) bool {
			return n.allows(client, v1.Protocol(protocol), to)
		},
		Redirect: n.externalEndpoint,
		Logger:   n.log.With("part", gatewayPart),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, carrier.Close()) }()
	ready()
	return carrier.Run(ctx)
}

// allows says whether the NetworkPolicies let a client begin a flow. Before they are known
// nothing passes that has to be held against them.
func (n *network) allows(client netip.Addr, protocol v1.Protocol, to netip.AddrPort) bool {
	if client.IsLoopback() {
		// A process of the node, which no policy holds up.
		return true
	}
	rules := n.rules.Load()
	return rules != nil && rules.Allows(policy.Flow{
		Source: client, Destination: to.Addr(), Protocol: protocol, Port: to.Port(),
	})
}
