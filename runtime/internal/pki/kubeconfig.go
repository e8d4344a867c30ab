package pki

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"sandkube.dev/runtime/internal/nodespec"
)

// kubeconfigFormat is a kubeconfig (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/)
// with its one name, server, authority, certificate and key left open. None of them
// needs quoting in YAML.
const kubeconfigFormat = `apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[1]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[1]s
current-context: %[1]s
`

// The users of sandkube's own components. They are in no group: what they may do is
// what package access grants them.
const (
	NetworkUser            = "sandkube:network"
	StorageProvisionerUser = "sandkube:storage-provisioner"
)

// ensureKubeconfigs writes the administrator's kubeconfig and those of the components,
// each with a client certificate of its own.
func ensureKubeconfigs(spec *nodespec.NodeSpec, store *store, signer *pair) error {
	type client struct {
		path        string
		certificate leaf
	}
	clients := []client{
		{spec.AdminKubeconfig(), clientCertificate("admin", "kubernetes-admin", administrators)},
		{spec.Kubeconfig("controller-manager"), clientCertificate("controller-manager", "system:kube-controller-manager")},
		{spec.Kubeconfig("scheduler"), clientCertificate("scheduler", "system:kube-scheduler")},
	}
	for _, node := range spec.Views() {
		// What a node may do follows from this name and group (authorization mode Node).
		certificate := clientCertificate(node.KubeletClient(), "system:node:"+node.Self.Name, "system:nodes")
		clients = append(clients, client{node.KubeletKubeconfig(), certificate})
	}
	if spec.Node != nil {
		clients = append(clients,
			client{spec.Kubeconfig("network"), clientCertificate("network", NetworkUser)},
			client{spec.Kubeconfig("storage-provisioner"), clientCertificate("storage-provisioner", StorageProvisionerUser)},
		)
	}
	for _, client := range clients {
		pair, err := store.ensureLeaf(signer, client.certificate)
		if err != nil {
			return err
		}
		key, err := pair.keyPEM()
		if err != nil {
			return err
		}
		encode := base64.StdEncoding.EncodeToString
		content := fmt.Sprintf(kubeconfigFormat, "sandkube-"+spec.Cluster.Name, serverURL(spec.ControlPlane),
			encode(signer.certificatePEM()), encode(pair.certificatePEM()), encode(key))
		if err := replaceFile(client.path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serverURL is where the API server is found from within the sandbox.
func serverURL(c nodespec.ControlPlane) string {
	host := c.BindAddress
	if address, err := netip.ParseAddr(host); err == nil && address.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(c.Port))
}
