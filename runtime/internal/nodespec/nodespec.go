// Package nodespec defines the node spec: the one JSON document that tells the
// runtime everything it needs to run a cluster's roles.
//
// The document is written by the TypeScript library, which takes every decision;
// its JSON Schema is protocol/node-spec.schema.json.
package nodespec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// APIVersion and Kind identify the document.
const (
	APIVersion = "sandkube.dev/v1alpha1"
	Kind       = "NodeSpec"
)

// ClusterDomain is the DNS domain of Services and pods.
const ClusterDomain = "cluster.local"

// PublicationsConfigMap is the ConfigMap in kube-system that says which ports of Services
// are reached at which ports of the sandbox. The TypeScript library writes it.
const PublicationsConfigMap = "sandkube-published-ports"

// NodeSpec is the whole document.
type NodeSpec struct {
	APIVersion string  `json:"apiVersion"`
	Kind       string  `json:"kind"`
	Cluster    Cluster `json:"cluster"`
	// Programs is the absolute path of the directory that holds sandkube's binaries.
	Programs     string       `json:"programs"`
	Egress       Egress       `json:"egress"`
	ControlPlane ControlPlane `json:"controlPlane"`
	// Node is what all nodes have in common, since they live in one sandbox; nil when the
	// cluster runs without a node (--control-plane).
	Node *NodeSettings `json:"node"`
	// Nodes are those of the cluster, none without Node. The first one is where the API
	// server is found.
	Nodes []Node `json:"nodes"`
}

// Cluster names the cluster and the directory that holds all of its state.
type Cluster struct {
	Name      string `json:"name"`
	Directory string `json:"directory"`
}

// Egress is how the roles find their way out of the sandbox.
type Egress struct {
	// Environment replaces all proxy variables and places of CA certificates in the environment
	// of every role. A proxy's URL may hold a password.
	Environment map[string]string `json:"environment"`
}

// ControlPlane configures the datastore, API server, controllers and scheduler.
type ControlPlane struct {
	// BindAddress and Port are where the API server listens.
	BindAddress string `json:"bindAddress"`
	Port        int    `json:"port"`
	// AdvertiseAddress is published as the endpoint of default/kubernetes; it may not be a loopback address.
	AdvertiseAddress string `json:"advertiseAddress"`
	// ServiceRange and PodRange are CIDRs.
	ServiceRange string `json:"serviceRange"`
	PodRange     string `json:"podRange"`
}

// NodeSettings configures the kubelet, containerd, the pod network and the surroundings
// they see.
type NodeSettings struct {
	// KubeletPort is the port at which each node's kubelet listens, at the node's address.
	KubeletPort int        `json:"kubeletPort"`
	Cgroup      Cgroup     `json:"cgroup"`
	StandIns    StandIns   `json:"standIns"`
	Containerd  Containerd `json:"containerd"`
	Images      Images     `json:"images"`
	OCI         OCI        `json:"oci"`
	Network     Network    `json:"network"`
	Kubelet     Kubelet    `json:"kubelet"`
}

// Node is what makes one node of a cluster.
type Node struct {
	Name string `json:"name"`
	// Address is the node's InternalIP. The pod bridge carries it; in host-network mode a link of
	// the sandbox does, and it is the address of each pod too.
	Address string `json:"address"`
	// PodRange is the CIDR that this node gives to its pods.
	PodRange string `json:"podRange"`
	// CgroupRoot is the cgroup, in every hierarchy, under which the node's pods live.
	CgroupRoot string `json:"cgroupRoot"`
}

// Cgroup says where a node finds its cgroup hierarchies.
type Cgroup struct {
	// MountControllers are version 1 controllers to mount, each on its own, in the
	// node's private mount namespace. Empty: the ones that are mounted are used.
	MountControllers []string `json:"mountControllers"`
}

// StandIns are files that the sandbox lacks and the node role must find.
type StandIns struct {
	// Sysctls maps names below /proc/sys, such as "kernel/panic", to their content.
	Sysctls map[string]string `json:"sysctls"`
	// Kmsg puts an empty file at /dev/kmsg.
	Kmsg bool `json:"kmsg"`
}

// Containerd holds the settings of containerd that depend on the sandbox.
type Containerd struct {
	// Snapshotter is "overlayfs" or "native".
	Snapshotter string `json:"snapshotter"`
	// SnapshotTmpfsBytes is the size of the tmpfs that holds the snapshots; 0 keeps them on disk.
	SnapshotTmpfsBytes int64 `json:"snapshotTmpfsBytes"`
	UnprivilegedPorts  bool  `json:"unprivilegedPorts"`
	UnprivilegedICMP   bool  `json:"unprivilegedIcmp"`
	// NewKeyring lets runc join a new session keyring for each container.
	NewKeyring          bool `json:"newKeyring"`
	RestrictOOMScoreAdj bool `json:"restrictOomScoreAdj"`
}

// Images says where the node finds images besides registries.
type Images struct {
	// Directory is the absolute path of the images directory: archives in it are imported and
	// lists of references pulled, at the start and while the node runs. It need not exist.
	Directory string `json:"directory"`
}

// OCI says how the OCI adapter edits each container's spec before runc reads it. The adapter is a
// part of runc, in a module of its own (runtime/upstream/runc/ociadapter), and has a struct of its
// own for this object, Settings; here the object is checked.
type OCI struct {
	// DropNamespaces lists namespaces that are left out: "cgroup", "pid".
	DropNamespaces        []string `json:"dropNamespaces"`
	DropMaskedDirectories bool     `json:"dropMaskedDirectories"`
	DropSeccomp           bool     `json:"dropSeccomp"`
	// AnyProcRoot makes runc accept a procfs whose root inode is not 1.
	AnyProcRoot bool `json:"anyProcRoot"`
	// SysctlStandIns gives pods files below /proc/sys in place of kernel settings of their
	// securityContext that the kernel does not have.
	SysctlStandIns bool `json:"sysctlStandIns"`
	// Environment is what containers get of variables that they do not set themselves, in
	// upper or lower case. A proxy's URL may hold a password.
	Environment map[string]string `json:"environment"`
	// CABundle is a file of CA certificates that containers find in /dev; empty: they get none.
	CABundle string `json:"caBundle"`
}

// Network modes of a node.
const (
	// NetworkBridge gives each pod a network namespace of its own, joined to the pod bridge.
	NetworkBridge = "bridge"
	// NetworkHost lets each pod share the node's network namespace, which is the sandbox's.
	NetworkHost = "host"
)

// Network configures the pod bridge, which all nodes share, and what pods find on it. In
// host-network mode there is no bridge, and only DNSAddress has a meaning.
type Network struct {
	// Mode is NetworkBridge or NetworkHost. Only one node can be in host-network mode.
	Mode   string `json:"mode"`
	Bridge string `json:"bridge"`
	// MTU is set on the bridge and on each veth, in bytes.
	MTU int `json:"mtu"`
	// ServiceAddress is the address in the pod range by which the Service range is reached.
	ServiceAddress string `json:"serviceAddress"`
	// GatewayAddress is the address in the pod range by which pods reach all else; empty
	// where no TAP device can be had: pods then reach pods, Services and the node only.
	GatewayAddress string `json:"gatewayAddress"`
	// DNSAddress is the ClusterIP of the cluster's DNS.
	DNSAddress string `json:"dnsAddress"`
	// LoopbackPorts are TCP ports of the sandbox's loopback address that pods reach at the
	// node's address.
	LoopbackPorts []int `json:"loopbackPorts"`
}

// Kubelet holds the kubelet settings that depend on the sandbox.
type Kubelet struct {
	// IPTables lets the kubelet keep its own iptables chains.
	IPTables bool `json:"iptables"`
	// Environment is added to the environment of the node role.
	Environment map[string]string `json:"environment"`
}

// Load reads, strictly decodes and validates the node spec in a file.
func Load(path string) (*NodeSpec, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read node spec: %w", err)
	}
	spec, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("node spec %s: %w", path, err)
	}
	return spec, nil
}

// Decode strictly decodes and validates a node spec: unknown fields are errors.
func Decode(data []byte) (*NodeSpec, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var spec NodeSpec
	if err := decoder.Decode(&spec); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode: more than one JSON value")
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	return &spec, nil
}
