package nodespec

import "path/filepath"

// Program returns the absolute path of one of sandkube's binaries.
func (s *NodeSpec) Program(name string) string {
	return filepath.Join(s.Programs, name)
}

// Path returns an absolute path below the cluster's directory.
func (s *NodeSpec) Path(elements ...string) string {
	return filepath.Join(append([]string{s.Cluster.Directory}, elements...)...)
}

// ControlSocket is where the supervisor answers.
func (s *NodeSpec) ControlSocket() string { return s.Path("control.sock") }

// HostRecord is where host-setup keeps what host-restore puts back.
func (s *NodeSpec) HostRecord() string { return s.Path("host.json") }

// AdminKubeconfig is the kubeconfig that people use.
func (s *NodeSpec) AdminKubeconfig() string { return s.Path("kubeconfig") }

// RegistryHosts is the directory that says, registry by registry, where images are pulled
// from: hosts.toml files in the layout of containerd's docs/hosts.md.
func (s *NodeSpec) RegistryHosts() string { return s.Path("egress", "certs.d") }

// RegistryAccounts is a file with the accounts for registries; it may not exist.
func (s *NodeSpec) RegistryAccounts() string { return s.Path("egress", "registry-accounts.json") }

// Kubeconfig is the kubeconfig of one component, such as "kubelet".
func (s *NodeSpec) Kubeconfig(component string) string {
	return s.Path("kubeconfigs", component+".kubeconfig")
}

// PKI returns the path of a certificate or key.
func (s *NodeSpec) PKI(file string) string { return s.Path("pki", file) }

// Log is the log file of a role.
func (s *NodeSpec) Log(role string) string { return s.Path("logs", role+".log") }

// ServiceLink is the link that joins the namespace of the ClusterIPs to the bridge.
func (n Network) ServiceLink() string { return n.Bridge + "-svc" }

// GatewayLink is the TAP device of the pods' gateway.
func (n Network) GatewayLink() string { return n.Bridge + "-gw" }
