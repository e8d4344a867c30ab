package nodeinit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sandkube.dev/runtime/internal/containerd"
)

// Fixed paths on which mounts are made.
const (
	kubeletDirectory = "/var/lib/kubelet"
	// networkNamespaces are those of pods; /var/run is a link to /run nearly everywhere.
	networkNamespaces = "/var/run/netns"
)

// volatileDirectories are what a restart of a machine empties, because it lies below
// /run or describes processes and namespaces: they are empty in each new namespace.
var volatileDirectories = []string{
	containerd.StateDirectory, // the shims' sockets and runc's state too
	networkNamespaces,
	"/var/lib/cni", // results of CNI plugins, which name network namespaces
}

// keptDirectories maps fixed paths to the cluster's directories that lie there. They
// are bound while all mounts are private: between two paths of one peer group a volume
// would be mounted at both, and gVisor then refuses to unmount it (EBUSY).
func (p *preparation) keptDirectories() [][2]string {
	return [][2]string{
		{kubeletDirectory, p.spec.NodePath("kubelet")},
		{"/var/log/pods", p.spec.NodePath("log", "pods")},
		{"/var/log/containers", p.spec.NodePath("log", "containers")},
	}
}

func (p *preparation) mountFixedDirectories() error {
	for _, path := range volatileDirectories {
		resolved, err := p.ensureDirectory(path)
		if err != nil {
			return err
		}
		if err := mountTmpfs(resolved, "mode=0755"); err != nil {
			return err
		}
	}
	if err := p.mountContainerdDirectory(); err != nil {
		return err
	}
	for _, kept := range p.keptDirectories() {
		target, source := kept[0], kept[1]
		if err := os.MkdirAll(source, 0o755); err != nil {
			return err
		}
		resolved, err := p.ensureDirectory(target)
		if err != nil {
			return err
		}
		if err := bind(source, resolved); err != nil {
			return err
		}
	}
	return nil
}

// mountContainerdDirectory makes containerd's directory a mount of its own, so that
// it can be kept from being shared.
func (p *preparation) mountContainerdDirectory() error {
	directory := p.spec.NodePath("containerd")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	return bind(directory, directory)
}

// mountSnapshots mounts what containers' root file systems lie on, which may be memory,
// where the snapshotter looks for it.
func (p *preparation) mountSnapshots() error {
	if size := p.spec.Node.Containerd.SnapshotTmpfsBytes; size > 0 {
		path := p.spec.SnapshotTmpfs()
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
		if err := mountTmpfs(path, fmt.Sprintf("mode=0700,size=%d", size)); err != nil {
			return err
		}
	}
	root := containerd.SnapshotRoot(p.spec)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	mountPoint, err := p.ensureDirectory(containerd.SnapshotMount)
	if err != nil {
		return err
	}
	return bind(root, mountPoint)
}

// forgetPods removes the leases of pod addresses: no pod outlives the namespaces of
// the node.
func (p *preparation) forgetPods() error {
	state := p.spec.LeaseDirectory()
	entries, err := os.ReadDir(state)
	if errors.Is(err, fs.ErrNotExist) {
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
