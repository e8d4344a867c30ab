package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/internal/cni"
	"sandkube.dev/runtime/internal/ipam"
	"sandkube.dev/runtime/network/internal/filter"
	"sandkube.dev/runtime/network/internal/policy"
	"sandkube.dev/runtime/network/internal/services"
)

const (
	// filterRetry is how long after a failure the filter is applied again.
	filterRetry = time.Second
	// filterCloseLimit is how long it may take to plug all pods into the bridge again.
	filterCloseLimit = 5 * time.Second
)

// runPolicy keeps the rules of the NetworkPolicies, by which all parts decide, and
// filters what pods say to each other directly.
func (n *network) runPolicy(ctx context.Context, ready func()) error {
	reporter := n.newReporter(ctx)
	defer reporter.shutdown()
	changed := make(chan struct{}, 1)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		node := policy.Node{
			Addresses:    append(n.nodeAddresses(), n.serviceAddress),
			ServiceRange: n.serviceRange,
			Endpoints:    n.clusterEndpoints,
		}
		err := policy.Watch(ctx, n.client, node, func(rules *policy.Rules) {
			n.rules.Store(rules)
			select {
			case changed <- struct{}{}:
			default:
			}
		}, ready)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	group.Go(func() error {
		if n.spec.Node.Network.GatewayAddress == "" {
			// The filter needs TAP devices as the gateway does.
			return n.tellNotEnforced(ctx, reporter, "what pods say to each other directly is not filtered: this sandbox has no TAP devices that can be ports of a bridge")
		}
		return n.runFilter(ctx, changed, reporter)
	})
	return group.Wait()
}

// runFilter applies the rules each time they have changed.
func (n *network) runFilter(ctx context.Context, changed <-chan struct{}, reporter *reporter) (err error) {
	filtering, err := filter.Open(filter.Config{
		Bridge:     n.spec.Node.Network.Bridge,
		MTU:        n.spec.Node.Network.MTU,
		Directory:  n.nodes[0].view.NodePath("run"),
		Namespaces: n.podNamespaces,
		Leases:     n.podLinks,
		Services: &filter.ServiceLink{
			Name: n.spec.Node.Network.ServiceLink(), Address: n.serviceAddress, Range: n.serviceRange,
		},
		Logger: n.log,
	})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), filterCloseLimit)
		defer cancel()
		err = errors.Join(err, filtering.Close(closing))
	}()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-retry:
		}
		retry = nil
		rules := n.rules.Load()
		for _, problem := range rules.Problems() {
			reporter.policy(problem.Policy, "", problem.Message)
		}
		if err := filtering.Apply(ctx, rules); err != nil {
			n.warn("NetworkPolicies", err)
			retry = time.After(filterRetry)
		}
	}
}

// clusterEndpoints returns what stands behind a ClusterIP for clients in the cluster.
func (n *network) clusterEndpoints(protocol v1.Protocol, frontend netip.AddrPort) []netip.AddrPort {
	snapshot := n.snapshot.Load()
	if snapshot == nil {
		return nil
	}
	port := snapshot.Cluster[services.Frontend{Protocol: protocol, Address: frontend}]
	if port == nil {
		return nil
	}
	addresses := make([]netip.AddrPort, len(port.Internal))
	for i, endpoint := range port.Internal {
		addresses[i] = endpoint.Address
	}
	return addresses
}

// podLinks returns the link in the sandbox of the pod that has each address.
func (n *network) podLinks(ctx context.Context) (map[netip.Addr]string, error) {
	links := make(map[netip.Addr]string)
	for _, node := range n.nodes {
		store, err := ipam.Open(node.view.LeaseDirectory(), node.podRange)
		if err != nil {
			return nil, err
		}
		leases, err := store.Leases(ctx)
		if err != nil {
			return nil, err
		}
		for _, lease := range leases {
			links[lease.Address] = cni.HostLink(lease.Owner)
		}
	}
	return links, nil
}
