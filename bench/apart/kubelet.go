package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"sandkube.dev/runtime/internal/nodespec"
)

const (
	kubeletDirectory = "/var/lib/kubelet"
	resolverConfig   = "/etc/resolv.conf"
)

func kubeletFlags(view *nodespec.NodeView, config string) []string {
	return []string{
		"--config=" + config,
		"--kubeconfig=" + view.KubeletKubeconfig(),
		"--hostname-override=" + view.Self.Name,
		"--node-ip=" + view.Self.Address,
		"--root-dir=" + kubeletDirectory,
		"--cert-dir=" + kubeletDirectory + "/pki",
	}
}

// writeKubeletConfig writes a KubeletConfiguration with sandkube's settings and returns its path.
func writeKubeletConfig(view *nodespec.NodeView) (string, error) {
	config := map[string]any{
		"apiVersion":               "kubelet.config.k8s.io/v1beta1",
		"kind":                     "KubeletConfiguration",
		"containerRuntimeEndpoint": "unix://" + view.ContainerdSocket(),
		"address":                  view.Self.Address,
		"port":                     view.Node.KubeletPort,
		"readOnlyPort":             0,
		"healthzPort":              0,
		"tlsCertFile":              view.KubeletCertificate() + ".crt",
		"tlsPrivateKeyFile":        view.KubeletCertificate() + ".key",
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": view.PKI("ca.crt")},
		},
		"authorization":          map[string]any{"mode": "Webhook"},
		"cgroupRoot":             view.Self.CgroupRoot,
		"cgroupDriver":           "cgroupfs",
		"cgroupsPerQOS":          true,
		"enforceNodeAllocatable": []string{"pods"},
		"failCgroupV1":           false,
		"failSwapOn":             false,
		"clusterDomain":          nodespec.ClusterDomain,
		// Without a Service proxy, CoreDNS is found at the node's own address.
		"clusterDNS":                  []string{view.Self.Address},
		"resolvConf":                  resolverConfigOfPods(),
		"makeIPTablesUtilChains":      view.Node.Kubelet.IPTables,
		"evictionHard":                map[string]string{},
		"imageGCHighThresholdPercent": 100,
		"imageGCLowThresholdPercent":  99,
		"serializeImagePulls":         false,
		"volumePluginDir":             kubeletDirectory + "/volume-plugins",
		// In gVisor cAdvisor finds no file system, and the kubelet would exit.
		"localStorageCapacityIsolation": false,
	}
	content, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("encode the kubelet's configuration: %w", err)
	}
	path := view.NodePath("kubelet.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("the kubelet's configuration: %w", err)
	}
	return path, nil
}

// resolverConfigOfPods is the file that pods inherit their name servers from; empty where
// the sandbox has none.
func resolverConfigOfPods() string {
	if _, err := os.Stat(resolverConfig); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return resolverConfig
}
