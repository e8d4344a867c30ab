// Package podnetwork writes the network configuration that containerd hands to the CNI plugin.
package podnetwork

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"sandkube.dev/runtime/internal/nodespec"
)

// list is a network configuration list of the CNI specification, section 1. From
// version 1.1 on, containerd starts the plugin for STATUS each time the kubelet asks
// how the runtime is; the plugin has no status that could change.
type list struct {
	CNIVersion string   `json:"cniVersion"`
	Name       string   `json:"name"`
	Plugins    []plugin `json:"plugins"`
}

// plugin is the configuration that package cni reads.
type plugin struct {
	Type           string `json:"type"`
	Mode           string `json:"mode"`
	NodeAddress    string `json:"nodeAddress"`
	Bridge         string `json:"bridge,omitempty"`
	PodRange       string `json:"podRange,omitempty"`
	ClusterRange   string `json:"clusterRange,omitempty"`
	Gateway        string `json:"gateway,omitempty"`
	ServiceRange   string `json:"serviceRange,omitempty"`
	ServiceAddress string `json:"serviceAddress,omitempty"`
	MTU            int    `json:"mtu,omitempty"`
	StateDirectory string `json:"stateDirectory,omitempty"`
}

func pluginOf(spec *nodespec.NodeView) plugin {
	node := spec.Node
	made := plugin{Type: "sandkube-cni", Mode: node.Network.Mode, NodeAddress: spec.Self.Address}
	if node.Network.Mode == nodespec.NetworkHost {
		return made
	}
	made.Bridge = node.Network.Bridge
	made.PodRange = spec.Self.PodRange
	made.ClusterRange = spec.ControlPlane.PodRange
	made.Gateway = cmp.Or(node.Network.GatewayAddress, spec.Self.Address)
	made.ServiceRange = spec.ControlPlane.ServiceRange
	made.ServiceAddress = node.Network.ServiceAddress
	made.MTU = node.Network.MTU
	made.StateDirectory = spec.LeaseDirectory()
	return made
}

// WriteConfig writes the node's network configuration list.
func WriteConfig(spec *nodespec.NodeView) error {
	data, err := json.MarshalIndent(list{
		CNIVersion: "1.0.0",
		Name:       "sandkube",
		Plugins:    []plugin{pluginOf(spec)},
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the network configuration: %w", err)
	}
	path := spec.NodePath("cni", "conf", "10-sandkube.conflist")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("directory of the network configuration: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("network configuration: %w", err)
	}
	return nil
}
