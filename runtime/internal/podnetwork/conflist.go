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

type plugin struct {
	Type           string `json:"type"`
	Bridge         string `json:"bridge"`
	PodRange       string `json:"podRange"`
	NodeAddress    string `json:"nodeAddress"`
	Gateway        string `json:"gateway"`
	ServiceRange   string `json:"serviceRange"`
	ServiceAddress string `json:"serviceAddress"`
	MTU            int    `json:"mtu"`
	StateDirectory string `json:"stateDirectory"`
}

// WriteConfig writes the node's network configuration list.
func WriteConfig(spec *nodespec.NodeSpec) error {
	node := spec.Node
	data, err := json.MarshalIndent(list{
		CNIVersion: "1.0.0",
		Name:       "sandkube",
		Plugins: []plugin{{
			Type:           "sandkube-cni",
			Bridge:         node.Network.Bridge,
			PodRange:       node.PodRange,
			NodeAddress:    node.Address,
			Gateway:        cmp.Or(node.Network.GatewayAddress, node.Address),
			ServiceRange:   spec.ControlPlane.ServiceRange,
			ServiceAddress: node.Network.ServiceAddress,
			MTU:            node.Network.MTU,
			StateDirectory: spec.NodePath("cni", "state"),
		}},
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
