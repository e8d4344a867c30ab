package nodeinit

import (
	"fmt"
	"os"
	"path/filepath"
)

// volatileDirectories are what a restart of a machine empties, because it lies below
// /run or describes processes and namespaces: they are empty in each new namespace.
func (p *preparation) volatileDirectories() []string {
	return []string{
		"/run/containerd", // the shims' sockets, runc's state
		"/run/netns",      // the network namespaces of pods
		"/var/lib/cni",    // results of CNI plugins, which name network namespaces
		p.spec.NodePath("containerd", "state"),
	}
}

// keptDirectories maps fixed paths to the cluster's directories that lie there. They
// are bound while all mounts are private: between two paths of one peer group a volume
// would be mounted at both, and gVisor then refuses to unmount it (EBUSY).
func (p *preparation) keptDirectories() [][2]string {
	return [][2]string{
		{"/var/lib/kubelet", p.spec.NodePath("kubelet")},
		{"/var/log/pods", p.spec.NodePath("log", "pods")},
		{"/var/log/containers", p.spec.NodePath("log", "containers")},
	}
}

func (p *preparation) mountFixedDirectories() error {
	for _, path := range p.volatileDirectories() {
		resolved, made, err := p.ensureDirectory(path)
		if err != nil {
			return err
		}
		// What was just made is on a replica's tmpfs already.
		if made && p.onReplica(resolved) {
			continue
		}
		if err := mountTmpfs(resolved, "mode=0755"); err != nil {
			return err
		}
	}
	for _, kept := range p.keptDirectories() {
		target, source := kept[0], kept[1]
		if err := os.MkdirAll(source, 0o755); err != nil {
			return err
		}
		resolved, _, err := p.ensureDirectory(target)
		if err != nil {
			return err
		}
		if err := bind(source, resolved); err != nil {
			return err
		}
	}
	return nil
}

// mountSnapshots mounts the memory in which containers' root file systems lie.
func (p *preparation) mountSnapshots() error {
	size := p.spec.Node.Containerd.SnapshotTmpfsBytes
	if size == 0 {
		return nil
	}
	path := p.spec.SnapshotTmpfs()
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return mountTmpfs(path, fmt.Sprintf("mode=0700,size=%d", size))
}

// forgetPods removes the leases of pod addresses: no pod outlives the namespaces of
// the node.
func (p *preparation) forgetPods() error {
	state := p.spec.NodePath("cni", "state")
	entries, err := os.ReadDir(state)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(state, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
