package cni

import (
	"encoding/json"
	"fmt"
	"net"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"
	"github.com/vishvananda/netlink"
)

const loopback = "lo"

// LoopbackMain runs the plugin `loopback`, which runtimes run before any other: it
// sets lo up. DEL has nothing to do, since lo goes with its namespace.
func LoopbackMain(about string) int {
	none := func(*skel.CmdArgs) error { return nil }
	return serve(skel.CNIFuncs{Add: loopbackAdd, Del: none, Check: loopbackCheck, GC: none, Status: none}, loopbackSpecifications, about)
}

func loopbackAdd(args *skel.CmdArgs) error {
	var config types.PluginConf
	if err := json.Unmarshal(args.StdinData, &config); err != nil {
		return types.NewError(types.ErrDecodingFailure, err.Error(), "")
	}
	pod, err := openNamespace(args.Netns)
	if err != nil {
		return err
	}
	defer pod.close()
	if err := raiseLoopback(pod.Handle); err != nil {
		return err
	}
	if err := version.ParsePrevResult(&config); err != nil {
		return types.NewError(types.ErrDecodingFailure, err.Error(), "")
	}
	if config.PrevResult != nil {
		return types.PrintResult(config.PrevResult, config.CNIVersion)
	}
	return types.PrintResult(&current.Result{
		CNIVersion: current.ImplementedSpecVersion,
		Interfaces: []*current.Interface{{Name: loopback, Mac: net.HardwareAddr(make([]byte, 6)).String(), Sandbox: args.Netns}},
		IPs: []*current.IPConfig{{
			Interface: current.Int(0),
			Address:   net.IPNet{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(8, 8*net.IPv4len)},
		}},
	}, config.CNIVersion)
}

func loopbackCheck(args *skel.CmdArgs) error {
	pod, err := openNamespace(args.Netns)
	if err != nil {
		return err
	}
	defer pod.close()
	link, err := pod.LinkByName(loopback)
	if err != nil {
		return fmt.Errorf("look up %s in the pod: %w", loopback, err)
	}
	if link.Attrs().Flags&net.FlagUp == 0 {
		return errMissing("the pod's link %s is down", loopback)
	}
	return nil
}

// raiseLoopback sets lo up unless it is, which takes no privilege.
func raiseLoopback(handle *netlink.Handle) error {
	link, err := handle.LinkByName(loopback)
	if err != nil {
		return fmt.Errorf("look up %s in the pod: %w", loopback, err)
	}
	if link.Attrs().Flags&net.FlagUp != 0 {
		return nil
	}
	if err := handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", loopback, err)
	}
	return nil
}
