package cni

import (
	"context"
	"errors"
	"net"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/vishvananda/netlink"

	"sandkube.dev/runtime/internal/ipam"
)

// add is the operation ADD. It starts by removing what an attempt that was cut
// short may have left, and leaves nothing when it fails.
func add(ctx context.Context, config *Config, args *skel.CmdArgs) error {
	to := attachmentOf(args)
	leases, err := config.leases()
	if err != nil {
		return err
	}
	node, err := nodeLinks()
	if err != nil {
		return err
	}
	defer node.Close()
	pod, err := openNamespace(args.Netns)
	if err != nil {
		return err
	}
	defer pod.close()

	if err := RemoveLink(node, to.hostLink); err != nil {
		return err
	}
	address, err := leases.Acquire(ctx, to.owner)
	if err != nil {
		return err
	}
	made, err := connect(node, pod, config, to, address)
	if err != nil {
		return errors.Join(err, detach(ctx, node, leases, to))
	}
	return types.PrintResult(resultOf(config, made, podAddress(config, address), args.Netns), config.CNIVersion)
}

// del is the operation DEL. By the specification it succeeds when parts of the
// attachment, or all of it, or the pod's namespace, are gone.
func del(ctx context.Context, config *Config, args *skel.CmdArgs) error {
	leases, err := config.leases()
	if err != nil {
		return err
	}
	node, err := nodeLinks()
	if err != nil {
		return err
	}
	defer node.Close()
	return detach(ctx, node, leases, attachmentOf(args))
}

// detach removes the link first: an address is free only when no link has it.
func detach(ctx context.Context, node *netlink.Handle, leases *ipam.Store, from attachment) error {
	if err := RemoveLink(node, from.hostLink); err != nil {
		return err
	}
	return leases.Release(ctx, from.owner)
}

func resultOf(config *Config, made *endpoint, address *net.IPNet, namespace string) *current.Result {
	host, pod := made.host.Attrs(), made.pod.Attrs()
	var added []*types.Route
	for _, route := range routes(config) {
		added = append(added, &types.Route{Dst: *route.destination, GW: route.gateway.AsSlice()})
	}
	return &current.Result{
		CNIVersion: current.ImplementedSpecVersion,
		Interfaces: []*current.Interface{
			{Name: host.Name, Mac: host.HardwareAddr.String(), Mtu: config.MTU},
			{Name: pod.Name, Mac: pod.HardwareAddr.String(), Mtu: config.MTU, Sandbox: namespace},
		},
		IPs:    []*current.IPConfig{{Interface: current.Int(1), Address: *address, Gateway: config.Gateway.AsSlice()}},
		Routes: added,
	}
}
