package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"sandkube.dev/runtime/internal/nodespec"
)

// podNamespaces is where containerd mounts the network namespaces of pods, in the mount
// namespace of their node.
const podNamespaces = "/var/run/netns"

// node is one of the cluster's nodes, which share the sandbox's network namespace.
type node struct {
	view     *nodespec.NodeView
	address  netip.Addr
	podRange netip.Prefix
}

// nodeNames are the names of the Node objects.
func (n *network) nodeNames() []string {
	names := make([]string, len(n.nodes))
	for i, node := range n.nodes {
		names[i] = node.view.Self.Name
	}
	return names
}

// nodeAddresses are the nodes' own addresses.
func (n *network) nodeAddresses() []netip.Addr {
	addresses := make([]netip.Addr, len(n.nodes))
	for i, node := range n.nodes {
		addresses[i] = node.address
	}
	return addresses
}

// nodeAt is the name of the node whose address this is; empty when it is no node's.
func (n *network) nodeAt(address netip.Addr) string {
	for _, node := range n.nodes {
		if node.address == address {
			return node.view.Self.Name
		}
	}
	return ""
}

// nodeOf is the name of the node that a client is on; empty when it is on none of them.
// Processes of the sandbox, and pods with hostNetwork on any node, come from the address
// of the first node, which has the route to the pods.
func (n *network) nodeOf(client netip.Addr) string {
	if name := n.nodeAt(client); name != "" {
		return name
	}
	for _, node := range n.nodes {
		if node.podRange.Contains(client) {
			return node.view.Self.Name
		}
	}
	return ""
}

// podNamespaces are the directories where the network namespaces of pods are mounted: one
// a node that runs. Of several nodes each is seen through the node's first process.
func (n *network) podNamespaces() ([]string, error) {
	if len(n.nodes) == 1 {
		return []string{podNamespaces}, nil
	}
	// Links lead from the root of this process, so they are followed before.
	parent, err := filepath.EvalSymlinks(filepath.Dir(podNamespaces))
	if err != nil {
		return nil, fmt.Errorf("network namespaces of pods: %w", err)
	}
	var directories []string
	for _, node := range n.nodes {
		number, err := os.ReadFile(node.view.InitProcess())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("network namespaces of pods: %w", err)
		}
		directories = append(directories, filepath.Join("/proc", strings.TrimSpace(string(number)), "root", parent, filepath.Base(podNamespaces)))
	}
	return directories, nil
}
