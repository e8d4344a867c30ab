package cni

import (
	"context"
	"net"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
)

// addShared is the operation ADD in host-network mode. The pod's namespace is the node's
// already: containerd has mounted it at the pod's path. The interface has the name that the
// runtime asks for, by which it looks the address up, though there may be no such link.
func addShared(_ context.Context, config *Config, args *skel.CmdArgs) error {
	return types.PrintResult(&current.Result{
		CNIVersion: current.ImplementedSpecVersion,
		Interfaces: []*current.Interface{{Name: args.IfName, Sandbox: args.Netns}},
		IPs:        []*current.IPConfig{{Interface: current.Int(0), Address: sharedAddress(config)}},
	}, config.CNIVersion)
}

// checkShared is the operation CHECK in host-network mode: the node may have another
// address by now.
func checkShared(_ context.Context, config *Config, _ *skel.CmdArgs) error {
	previous, err := config.previous()
	if err != nil {
		return err
	}
	want := sharedAddress(config)
	for _, ip := range previous.IPs {
		if ip.Address.String() != want.String() {
			return errMissing("the address of ADD is %s, the node's is %s", ip.Address.String(), want.String())
		}
	}
	return nil
}

// nothing is an operation that has nothing to do: no link and no lease was made.
func nothing(context.Context, *Config, *skel.CmdArgs) error { return nil }

func sharedAddress(config *Config) net.IPNet {
	bits := config.NodeAddress.BitLen()
	return net.IPNet{IP: config.NodeAddress.AsSlice(), Mask: net.CIDRMask(bits, bits)}
}
