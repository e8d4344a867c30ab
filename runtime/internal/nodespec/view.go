package nodespec

import (
	"fmt"
	"slices"
)

// NodeView is a node spec as one of its nodes has it.
type NodeView struct {
	*NodeSpec
	// Self is the node.
	Self Node
	// suffix tells the node's files, directories and roles from those of other nodes. The
	// first node has none.
	suffix string
}

// Views returns the spec as each of its nodes has it, in their order.
func (s *NodeSpec) Views() []*NodeView {
	views := make([]*NodeView, len(s.Nodes))
	for i, node := range s.Nodes {
		views[i] = &NodeView{NodeSpec: s, Self: node}
		if i > 0 {
			views[i].suffix = fmt.Sprintf("-%d", i+1)
		}
	}
	return views
}

// View returns the spec as the node of that name has it.
func (s *NodeSpec) View(name string) (*NodeView, error) {
	views := s.Views()
	i := slices.IndexFunc(views, func(view *NodeView) bool { return view.Self.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("the node spec has no node %q", name)
	}
	return views[i], nil
}

// LoadView reads the node spec in a file as the node of that name has it.
func LoadView(path, name string) (*NodeView, error) {
	spec, err := Load(path)
	if err != nil {
		return nil, err
	}
	return spec.View(name)
}

// RoleName is the name of one of the node's roles, such as "containerd": for the first
// node that of its kind, for others with a suffix.
func (v *NodeView) RoleName(kind string) string { return kind + v.suffix }

// NodePath returns an absolute path below the node's directory.
func (v *NodeView) NodePath(elements ...string) string {
	return v.Path(append([]string{"node" + v.suffix}, elements...)...)
}

// ContainerdSocket is containerd's gRPC and CRI endpoint.
func (v *NodeView) ContainerdSocket() string { return v.NodePath("run", "containerd.sock") }

// SnapshotTmpfs is where the tmpfs that holds snapshots is mounted in the node's mount namespace.
func (v *NodeView) SnapshotTmpfs() string { return v.NodePath("snapshots") }

// LeaseDirectory holds the addresses that the node has given to its pods.
func (v *NodeView) LeaseDirectory() string { return v.NodePath("cni", "state") }

// InitProcess is the file in which the node's first process leaves its number, as the
// sandbox counts.
func (v *NodeView) InitProcess() string { return v.NodePath("run", "init.pid") }

// KubeletKubeconfig is the kubeconfig of the node's kubelet.
func (v *NodeView) KubeletKubeconfig() string { return v.Kubeconfig("kubelet" + v.suffix) }

// KubeletCertificate is the path, without .crt or .key, of what the kubelet serves with.
func (v *NodeView) KubeletCertificate() string { return v.PKI("kubelet" + v.suffix) }

// KubeletClient is the name of the file, without .crt or .key, of what the kubelet is
// known by to the API server.
func (v *NodeView) KubeletClient() string { return "kubelet" + v.suffix + "-client" }
