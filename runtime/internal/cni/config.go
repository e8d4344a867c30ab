package cni

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"

	"sandkube.dev/runtime/internal/ipam"
	"sandkube.dev/runtime/internal/nodespec"
)

// Config is the plugin's network configuration.
type Config struct {
	types.PluginConf
	// Mode is that of the node's network, by package nodespec. In host-network mode all of the
	// fields below but NodeAddress are empty.
	Mode string `json:"mode"`
	// Bridge is the name of the bridge that host-setup has made.
	Bridge string `json:"bridge"`
	// PodRange is the node's part of the pod range, an IPv4 CIDR.
	PodRange netip.Prefix `json:"podRange"`
	// ClusterRange is the pod range of all nodes, whose pods the bridge joins.
	ClusterRange netip.Prefix `json:"clusterRange"`
	// NodeAddress is the node's address on the bridge, or in host-network mode that of the sandbox.
	NodeAddress netip.Addr `json:"nodeAddress"`
	// Gateway is where pods send what is neither for a pod nor for a Service.
	Gateway netip.Addr `json:"gateway"`
	// ServiceRange is where ClusterIPs are from, and ServiceAddress where pods send what is for them.
	ServiceRange   netip.Prefix `json:"serviceRange"`
	ServiceAddress netip.Addr   `json:"serviceAddress"`
	// MTU is set on both ends of each veth pair, in bytes; 0 leaves the kernel's default.
	MTU int `json:"mtu"`
	// StateDirectory holds the address leases.
	StateDirectory string `json:"stateDirectory"`
}

func parseConfig(data []byte) (*Config, error) {
	var config Config
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, types.NewError(types.ErrDecodingFailure, "decode the network configuration: "+err.Error(), "")
	}
	if err := config.validate(); err != nil {
		return nil, types.NewError(types.ErrInvalidNetworkConfig, err.Error(), "")
	}
	return &config, nil
}

func (c *Config) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if c.Mode == nodespec.NetworkHost {
		check(c.NodeAddress.Is4(), "nodeAddress %s is not an IPv4 address", c.NodeAddress)
		return errors.Join(errs...)
	}
	check(c.Mode == nodespec.NetworkBridge, "mode %q is neither %s nor %s", c.Mode, nodespec.NetworkBridge, nodespec.NetworkHost)
	check(c.Bridge != "", "bridge is empty")
	check(c.PodRange.IsValid() && c.PodRange.Addr().Is4(), "podRange %s is not an IPv4 range", c.PodRange)
	check(c.PodRange.Contains(c.NodeAddress), "nodeAddress %s is not in podRange %s", c.NodeAddress, c.PodRange)
	check(c.ClusterRange.IsValid() && c.ClusterRange.Overlaps(c.PodRange) && c.ClusterRange.Bits() <= c.PodRange.Bits(), "clusterRange %s does not hold podRange %s", c.ClusterRange, c.PodRange)
	check(c.ClusterRange.Contains(c.Gateway), "gateway %s is not in clusterRange %s", c.Gateway, c.ClusterRange)
	check(c.ServiceRange.IsValid() && c.ServiceRange.Addr().Is4(), "serviceRange %s is not an IPv4 range", c.ServiceRange)
	check(c.ClusterRange.Contains(c.ServiceAddress), "serviceAddress %s is not in clusterRange %s", c.ServiceAddress, c.ClusterRange)
	check(c.MTU >= 0, "mtu %d is negative", c.MTU)
	check(filepath.IsAbs(c.StateDirectory), "stateDirectory %q is not an absolute path", c.StateDirectory)
	return errors.Join(errs...)
}

func (c *Config) leases() (*ipam.Store, error) {
	return ipam.Open(c.StateDirectory, c.PodRange, c.NodeAddress, c.Gateway, c.ServiceAddress)
}

// previous returns the result of ADD that the runtime hands back to CHECK.
func (c *Config) previous() (*current.Result, error) {
	if err := version.ParsePrevResult(&c.PluginConf); err != nil {
		return nil, types.NewError(types.ErrDecodingFailure, err.Error(), "")
	}
	if c.PrevResult == nil {
		return nil, types.NewError(types.ErrInvalidNetworkConfig, "prevResult is missing", "")
	}
	result, err := current.NewResultFromResult(c.PrevResult)
	if err != nil {
		return nil, types.NewError(types.ErrDecodingFailure, err.Error(), "")
	}
	return result, nil
}
