package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"sandkube.dev/runtime/internal/nodespec"
)

// servingCertificates are those of the API server and of each node's kubelet.
func servingCertificates(spec *nodespec.NodeSpec) ([]leaf, error) {
	serviceAddress, err := firstAddress(spec.ControlPlane.ServiceRange)
	if err != nil {
		return nil, err
	}
	names := []string{
		"localhost",
		"kubernetes",
		"kubernetes.default",
		"kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local",
	}
	addresses := []string{"127.0.0.1", "::1", spec.ControlPlane.BindAddress, spec.ControlPlane.AdvertiseAddress, serviceAddress}
	nodes := spec.Views()
	if len(nodes) > 0 {
		names = append(names, nodes[0].Self.Name)
	}
	leaves := []leaf{servingCertificate("apiserver", "kube-apiserver", names, addresses)}
	for _, node := range nodes {
		file := filepath.Base(node.KubeletCertificate())
		leaves = append(leaves, servingCertificate(file, "kubelet", []string{node.Self.Name}, []string{"127.0.0.1", node.Self.Address}))
	}
	return leaves, nil
}

func servingCertificate(file, commonName string, names, addresses []string) leaf {
	l := leaf{file: file, subject: pkix.Name{CommonName: commonName}, usage: x509.ExtKeyUsageServerAuth, names: names}
	for _, address := range addresses {
		ip := net.ParseIP(address)
		// A wildcard is where a server listens, not where a client finds it.
		if ip == nil || ip.IsUnspecified() || slices.ContainsFunc(l.addresses, ip.Equal) {
			continue
		}
		l.addresses = append(l.addresses, ip)
	}
	return l
}

// firstAddress is the one that the API server gives to the Service default/kubernetes.
func firstAddress(serviceRange string) (string, error) {
	prefix, err := netip.ParsePrefix(serviceRange)
	if err != nil {
		return "", fmt.Errorf("pki: the range of Service addresses: %w", err)
	}
	return prefix.Masked().Addr().Next().String(), nil
}
