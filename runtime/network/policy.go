package main

import (
	"context"

	"sandkube.dev/runtime/network/internal/policy"
)

// runPolicy keeps the rules of the NetworkPolicies, by which all parts decide.
func (n *network) runPolicy(ctx context.Context, ready func()) error {
	node := policy.Node{Addresses: n.trustedAddresses(), ServiceRange: n.serviceRange}
	err := policy.Watch(ctx, n.client, node, func(rules *policy.Rules) { n.rules.Store(rules) }, ready)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
