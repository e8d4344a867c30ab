// Package containerd writes the configuration that the node's containerd reads.
package containerd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"sandkube.dev/runtime/internal/nodespec"
)

// PauseImage is the image of each pod's sandbox container; the programs directory holds it as PauseArchive.
const (
	PauseImage   = "sandkube.local/pause:3.10.2"
	PauseArchive = "pause.tar"
)

// Each setting that containerd would derive from the kernel's version is written
// explicitly, so that only probed facts decide.
// The keys are those of containerd 2's docs/cri/config.md.
var configuration = template.Must(template.New("config.toml").Parse(`version = 3
root = '{{.Root}}'
state = '{{.State}}'
oom_score = 0
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.internal.v1.tracing', 'io.containerd.tracing.processor.v1.otlp']

[grpc]
  address = '{{.Socket}}'

[ttrpc]
  address = '{{.Socket}}.ttrpc'

[plugins.'io.containerd.grpc.v1.cri']
  disable_tcp_service = true
  stream_server_address = '127.0.0.1'
  stream_server_port = '0'

[plugins.'io.containerd.cri.v1.images']
  snapshotter = '{{.Snapshotter}}'
  stats_collect_period = {{.StatsSeconds}}
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '{{.Pause}}'
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = '{{.RegistryHosts}}'

[plugins.'io.containerd.snapshotter.v1.{{.Snapshotter}}']
  root_path = '{{.Snapshots}}'

[plugins.'io.containerd.cri.v1.runtime']
  enable_unprivileged_ports = {{.UnprivilegedPorts}}
  enable_unprivileged_icmp = {{.UnprivilegedICMP}}
  restrict_oom_score_adj = {{.RestrictOOMScoreAdj}}
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  enable_cdi = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['{{.CNIBinaries}}']
    conf_dir = '{{.CNIConfiguration}}'
    max_conf_num = 1
    use_internal_loopback = {{.InternalLoopback}}
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = 'runc'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = 'io.containerd.runc.v2'
      runtime_path = '{{.Shim}}'
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = '{{.OCIAdapter}}'
        NoNewKeyring = {{.NoNewKeyring}}
        SystemdCgroup = false
`))

// statsPeriod is how often containerd walks the writable layers of all containers to know
// their sizes. Its default of ten seconds is a tenth of all system calls of an idle cluster.
const statsPeriod = 30 * time.Second

// SnapshotMount is where the snapshotter finds its root in the node's mount namespace.
//
// The mount options of a container list each of its image's layers, and must fit into a
// page. Where they do not, containerd makes the paths relative, which gVisor's overlayfs
// refuses (https://github.com/google/gvisor/issues/14699). At this path a container may
// have 127 layers, the most that Docker builds.
const SnapshotMount = "/run/sk"

// StateDirectory is where containerd keeps what ends with the node's namespaces, as it
// does by default. It is not in the cluster's directory, which only its owner may enter:
// the root user of a pod with a user namespace of its own is another user, and has to
// reach the pod's root file system there.
const StateDirectory = "/run/containerd"

// ConfigPath is where the configuration lies.
func ConfigPath(spec *nodespec.NodeView) string {
	return spec.NodePath("containerd", "config.toml")
}

// SnapshotRoot is where the snapshots lie. SnapshotMount shows it.
func SnapshotRoot(spec *nodespec.NodeView) string {
	if spec.Node.Containerd.SnapshotTmpfsBytes > 0 {
		return filepath.Join(spec.SnapshotTmpfs(), spec.Node.Containerd.Snapshotter)
	}
	return spec.NodePath("containerd", "root", "io.containerd.snapshotter.v1."+spec.Node.Containerd.Snapshotter)
}

const (
	// nodeNetworkVariable tells the containerd that sandkube builds to give its own network
	// namespace to pods.
	nodeNetworkVariable = "SANDKUBE_NODE_NETWORK"
	// sameNamespaceVariable, which plugins inherit, tells the CNI library that a pod may have
	// the network namespace of the plugin itself.
	sameNamespaceVariable = "CNI_NETNS_OVERRIDE"
	// snapshotsVariable tells it where layers are unpacked to, so that it leaves some space.
	snapshotsVariable = "SANDKUBE_SNAPSHOTS"
	// accountsVariable tells it where the accounts of registries.yaml are.
	accountsVariable = "SANDKUBE_REGISTRY_ACCOUNTS"
)

// Environment is what is added to containerd's environment.
func Environment(spec *nodespec.NodeView) []string {
	environment := []string{snapshotsVariable + "=" + SnapshotMount, accountsVariable + "=" + spec.RegistryAccounts()}
	if spec.Node.Network.Mode == nodespec.NetworkHost {
		environment = append(environment, nodeNetworkVariable+"=1", sameNamespaceVariable+"=1")
	}
	return environment
}

// WriteConfig writes containerd's configuration for the node.
func WriteConfig(spec *nodespec.NodeView) error {
	settings := spec.Node.Containerd
	var rendered bytes.Buffer
	err := configuration.Execute(&rendered, map[string]any{
		"Root":                spec.NodePath("containerd", "root"),
		"State":               StateDirectory,
		"Socket":              spec.ContainerdSocket(),
		"Snapshotter":         settings.Snapshotter,
		"Snapshots":           SnapshotMount,
		"StatsSeconds":        int(statsPeriod.Seconds()),
		"Pause":               PauseImage,
		"RegistryHosts":       spec.RegistryHosts(),
		"UnprivilegedPorts":   settings.UnprivilegedPorts,
		"UnprivilegedICMP":    settings.UnprivilegedICMP,
		"RestrictOOMScoreAdj": settings.RestrictOOMScoreAdj,
		"NoNewKeyring":        !settings.NewKeyring,
		// containerd sets a pod's lo up though it may be up already, for which it lacks the
		// privilege where lo is the sandbox's. The plugin "loopback" looks first.
		"InternalLoopback": spec.Node.Network.Mode != nodespec.NetworkHost,
		"CNIBinaries":      spec.NodePath("bin"),
		"CNIConfiguration": spec.NodePath("cni", "conf"),
		"Shim":             spec.NodePath("bin", "containerd-shim-runc-v2"),
		"OCIAdapter":       spec.NodePath("bin", "sandkube-runc"),
	})
	if err != nil {
		return fmt.Errorf("render containerd's configuration: %w", err)
	}
	path := ConfigPath(spec)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("containerd's directory: %w", err)
	}
	if err := os.WriteFile(path, rendered.Bytes(), 0o600); err != nil {
		return fmt.Errorf("containerd's configuration: %w", err)
	}
	return nil
}
