// Package kubelet runs the kubelet.
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/validation"

	"sandkube.dev/runtime/internal/cadvisor"
	"sandkube.dev/runtime/internal/kubeclient"
	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "kubelet"

// rootDirectory is where CSI drivers and other pods expect the kubelet's directory.
// In the node's mount namespace the cluster's own directory lies there.
const rootDirectory = "/var/lib/kubelet"

// Run runs the kubelet. Ready is called when the node's condition Ready is true.
//
// The kubelet's sync loop outlives ctx: only the end of the process stops it.
func Run(ctx context.Context, spec *nodespec.NodeView, ready func()) error {
	config, err := configuration(spec)
	if err != nil {
		return err
	}
	server := &options.KubeletServer{KubeletFlags: *flags(spec), KubeletConfiguration: *config}
	if err := options.ValidateKubeletFlags(&server.KubeletFlags); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if err := validation.ValidateKubeletConfiguration(config, utilfeature.DefaultFeatureGate); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	dependencies, err := app.UnsecuredDependencies(ctx, server, utilfeature.DefaultFeatureGate)
	if err != nil {
		return fmt.Errorf("dependencies: %w", err)
	}
	labels, err := cadvisor.NewLabels(spec.ContainerdSocket())
	if err != nil {
		return err
	}
	dependencies.CAdvisorInterface = cadvisor.New(cadvisor.Directories{
		Root:      server.RootDirectory,
		Images:    spec.NodePath("containerd", "root"),
		Container: containerFileSystem(spec),
	}, labels)
	begun := time.Now()
	go func() {
		if waitNodeReady(ctx, spec, begun) == nil {
			ready()
		}
	}()
	return app.Run(ctx, server, dependencies, utilfeature.DefaultFeatureGate)
}

// containerFileSystem is where the writable layers lie.
func containerFileSystem(spec *nodespec.NodeView) string {
	if spec.Node.Containerd.SnapshotTmpfsBytes > 0 {
		return spec.SnapshotTmpfs()
	}
	return spec.NodePath("containerd", "root")
}

func flags(spec *nodespec.NodeView) *options.KubeletFlags {
	f := options.NewKubeletFlags()
	f.KubeConfig = spec.KubeletKubeconfig()
	f.HostnameOverride = spec.Self.Name
	f.NodeIP = spec.Self.Address
	f.RootDirectory = rootDirectory
	f.CertDirectory = rootDirectory + "/pki"
	return f
}

// resolverConfig is the file that pods inherit their name servers from.
const resolverConfig = "/etc/resolv.conf"

// configuration starts from the defaults that the kubelet has without a file.
func configuration(spec *nodespec.NodeView) (*kubeletconfig.KubeletConfiguration, error) {
	c, err := options.NewKubeletConfiguration()
	if err != nil {
		return nil, fmt.Errorf("default configuration: %w", err)
	}
	node := spec.Node
	c.ContainerRuntimeEndpoint = "unix://" + spec.ContainerdSocket()

	// Only the API server talks to the kubelet, with a certificate, on the pod bridge.
	c.Address = spec.Self.Address
	c.Port = int32(node.KubeletPort)
	c.ReadOnlyPort = 0
	c.HealthzPort = 0
	c.TLSCertFile = spec.KubeletCertificate() + ".crt"
	c.TLSPrivateKeyFile = spec.KubeletCertificate() + ".key"
	c.Authentication.Anonymous.Enabled = false
	c.Authentication.Webhook.Enabled = true
	c.Authentication.X509.ClientCAFile = spec.PKI("ca.crt")
	c.Authorization.Mode = kubeletconfig.KubeletAuthorizationModeWebhook

	// Two kubelets that share a cgroup root remove each other's pods as orphans.
	c.CgroupRoot = spec.Self.CgroupRoot
	c.CgroupDriver = "cgroupfs"
	// The in-place resize of pods needs the QoS cgroups.
	c.CgroupsPerQOS = true
	c.EnforceNodeAllocatable = []string{"pods"}
	// Version 1 is what most sandboxes have.
	c.FailCgroupV1 = false
	c.FailSwapOn = false

	c.ClusterDomain = nodespec.ClusterDomain
	c.ClusterDNS = []string{node.Network.DNSAddress}
	c.ResolverConfig = ""
	if _, err := os.Stat(resolverConfig); err == nil {
		c.ResolverConfig = resolverConfig
	}
	c.MakeIPTablesUtilChains = node.Kubelet.IPTables

	// Memory and disk are the whole sandbox's: what others use there must neither
	// evict pods nor remove images. A tmpfs for unpacked layers is the node's alone: the
	// kubelet's usual thresholds (85 and 80 percent) keep pulled images within it. What was
	// loaded is pinned, and what a container was made of, ended or not, counts as used.
	c.EvictionHard = map[string]string{}
	if node.Containerd.SnapshotTmpfsBytes == 0 {
		c.ImageGCHighThresholdPercent = 100
		c.ImageGCLowThresholdPercent = 99
	}

	c.SerializeImagePulls = false
	// The default would be written to the sandbox's own /usr.
	c.VolumePluginDir = rootDirectory + "/volume-plugins"
	return c, nil
}

// waitNodeReady waits until the node is ready in the words of this kubelet: the
// condition of one that ran before it stays until it is written anew. A kubelet writes
// it at its start, with times in whole seconds.
func waitNodeReady(ctx context.Context, spec *nodespec.NodeView, begun time.Time) error {
	client, err := kubeclient.New(spec.KubeletKubeconfig())
	if err != nil {
		return err
	}
	since := begun.Truncate(time.Second)
	return kubeclient.Poll(ctx, func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, spec.Self.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			ready := condition.Type == v1.NodeReady && condition.Status == v1.ConditionTrue
			if ready && !condition.LastHeartbeatTime.Time.Before(since) {
				return nil
			}
		}
		return errors.New("the node is not ready")
	})
}
