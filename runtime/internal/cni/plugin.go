// Package cni is sandkube's network plugin, by the CNI specification 1.1: it joins
// each pod to the node's bridge by a veth pair.
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
)

// specifications lists the versions of the CNI specification that the plugins speak.
var specifications = version.PluginSupports("0.4.0", "1.0.0", "1.1.0")

// errNotAvailable is the specification's error code for STATUS: ADD would fail.
const errNotAvailable = 50

// operationLimit bounds one operation, of which only the lock of the address
// leases can take long.
const operationLimit = 20 * time.Second

// Main runs the plugin by the environment and the standard streams, as the
// specification says, and returns the exit status.
func Main(about string) int {
	return serve(skel.CNIFuncs{
		Add:    configured(add),
		Del:    configured(del),
		Check:  configured(check),
		GC:     configured(collectGarbage),
		Status: configured(status),
	}, about)
}

func serve(functions skel.CNIFuncs, about string) int {
	err := skel.PluginMainFuncsWithError(functions, specifications, about)
	if err == nil {
		return 0
	}
	// The specification has errors printed on standard output; there is no other way to report that this fails.
	_ = err.Print()
	return 1
}

type operation func(ctx context.Context, config *Config, args *skel.CmdArgs) error

func configured(run operation) func(*skel.CmdArgs) error {
	return func(args *skel.CmdArgs) error {
		ctx, cancel := context.WithTimeout(context.Background(), operationLimit)
		defer cancel()
		config, err := parseConfig(args.StdinData)
		if err != nil {
			return err
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
