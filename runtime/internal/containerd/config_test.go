package containerd

import (
	"os"
	"strings"
	"testing"

	"sandkube.dev/runtime/internal/nodespec"
)

func TestWriteConfig(t *testing.T) {
	for name, test := range map[string]struct {
		settings nodespec.Containerd
		network  nodespec.Network
		want     []string
	}{
		"nothing adapted": {
			settings: nodespec.Containerd{Snapshotter: "overlayfs", UnprivilegedPorts: true, UnprivilegedICMP: true, NewKeyring: true},
			want: []string{
				"enable_unprivileged_ports = true", "enable_unprivileged_icmp = true", "NoNewKeyring = false",
				"restrict_oom_score_adj = false", "root_path = '/run/sk'", "state = '/run/containerd'",
			},
		},
		"snapshots on a tmpfs": {
			settings: nodespec.Containerd{Snapshotter: "overlayfs", SnapshotTmpfsBytes: 1 << 30},
			want: []string{
				"enable_unprivileged_ports = false", "NoNewKeyring = true",
			},
		},
		"host-network mode": {
			settings: nodespec.Containerd{Snapshotter: "overlayfs"},
			network:  nodespec.Network{Mode: nodespec.NetworkHost},
			want:     []string{"use_internal_loopback = false"},
		},
		"networks of their own": {
			settings: nodespec.Containerd{Snapshotter: "overlayfs"},
			network:  nodespec.Network{Mode: nodespec.NetworkBridge},
			want:     []string{"use_internal_loopback = true"},
		},
		"native": {
			settings: nodespec.Containerd{Snapshotter: "native", RestrictOOMScoreAdj: true},
			want:     []string{"snapshotter = 'native'", "[plugins.'io.containerd.snapshotter.v1.native']", "restrict_oom_score_adj = true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := &nodespec.NodeSpec{
				Cluster: nodespec.Cluster{Name: "default", Directory: t.TempDir()},
				Node:    &nodespec.NodeSettings{Containerd: test.settings, Network: test.network},
				Nodes:   []nodespec.Node{{Name: "node-1"}},
			}
			spec := cluster.Views()[0]
			if err := WriteConfig(spec); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(ConfigPath(spec))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(test.want, PauseImage, spec.ContainerdSocket(), "config_path = '"+spec.RegistryHosts()+"'") {
				if !strings.Contains(string(data), want) {
					t.Errorf("the configuration lacks %s:\n%s", want, data)
				}
			}
		})
	}
}
