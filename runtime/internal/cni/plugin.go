// Package cni is sandkube's network plugin, by the CNI specification 1.1: it joins
// each pod to the node's bridge by a veth pair. In host-network mode it makes nothing,
// and tells that each pod has the node's address.
//
// It uses only what gVisor's network stack has: no sysctls, no preferred source in
// routes, no neighbour entries, network namespaces named by descriptor, bridge ports
// without hairpin.
package cni

import (
	"context"
	"errors"
	"time"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"

	"sandkube.dev/runtime/internal/nodespec"
)

// Versions of the CNI specification that the plugins speak. containerd's own configuration
// of the plugin `loopback` is of 0.3.1.
var (
	specifications         = version.PluginSupports("0.4.0", "1.0.0", "1.1.0")
	loopbackSpecifications = version.PluginSupports("0.3.1", "0.4.0", "1.0.0", "1.1.0")
)

// errNotAvailable is the specification's error code for STATUS: ADD would fail.
const errNotAvailable = 50

// operationLimit bounds one operation, of which only the lock of the address
// leases can take long.
const operationLimit = 20 * time.Second

// Main runs the plugin by the environment and the standard streams, as the
// specification says, and returns the exit status.
func Main(about string) int {
	return serve(skel.CNIFuncs{
		Add:    configured(add, addShared),
		Del:    configured(del, nothing),
		Check:  configured(check, checkShared),
		GC:     configured(collectGarbage, nothing),
		Status: configured(status, nothing),
	}, specifications, about)
}

func serve(functions skel.CNIFuncs, speaks version.PluginInfo, about string) int {
	err := skel.PluginMainFuncsWithError(functions, speaks, about)
	if err == nil {
		return 0
	}
	// The specification has errors printed on standard output; there is no other way to report that this fails.
	_ = err.Print()
	return 1
}

type operation func(ctx context.Context, config *Config, args *skel.CmdArgs) error

// configured runs one of two operations: for pods with a network of their own, or for those
// that share the node's.
func configured(own, shared operation) func(*skel.CmdArgs) error {
	return func(args *skel.CmdArgs) error {
		ctx, cancel := context.WithTimeout(context.Background(), operationLimit)
		defer cancel()
		config, err := parseConfig(args.StdinData)
		if err != nil {
			return err
		}
		run := own
		if config.Mode == nodespec.NetworkHost {
			run = shared
		}
		return coded(types.ErrInternal, run(ctx, config, args))
	}
}

// coded gives an error the code that the specification wants, unless it has one.
func coded(code uint, err error) error {
	var withCode *types.Error
	if err == nil || errors.As(err, &withCode) {
		return err
	}
	return types.NewError(code, err.Error(), "")
}
