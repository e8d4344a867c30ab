// Package pki makes the keys and certificates of a cluster, and the kubeconfigs that
// hold them. File names are kubeadm's, without its subdirectories
// (https://kubernetes.io/docs/setup/best-practices/certificates/).
package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sandkube.dev/runtime/internal/nodespec"
)

const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	leafLifetime      = 365 * 24 * time.Hour
	// renewalTime is how long before its end a certificate is made anew.
	renewalTime = 30 * 24 * time.Hour
	// clockTolerance lets clients whose clock is behind accept a new certificate.
	clockTolerance = time.Hour
)

// administrators is the group that the API server grants everything, whatever RBAC says.
const administrators = "system:masters"

// The names of files in the pki directory, without .crt or .key.
const (
	authority           = "ca"
	frontProxyAuthority = "front-proxy-ca"
	serviceAccount      = "sa"
)

// Ensure makes what is missing, damaged, or at its end within 30 days, and what the
// spec's addresses have outdated; all else is kept. Keys have mode 0600. Files are
// replaced as a whole, so a process that is killed leaves none in parts.
func Ensure(spec *nodespec.NodeSpec, now time.Time) error {
	directory := spec.Path("pki")
	for _, path := range []string{directory, filepath.Dir(spec.Kubeconfig("scheduler"))} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return fmt.Errorf("pki: %w", err)
		}
	}
	store := &store{directory: directory, now: now}
	cluster, err := store.ensureAuthority(authority, "kubernetes-ca")
	if err != nil {
		return err
	}
	frontProxy, err := store.ensureAuthority(frontProxyAuthority, "kubernetes-front-proxy-ca")
	if err != nil {
		return err
	}
	if err := store.ensureServiceAccountKey(serviceAccount); err != nil {
		return err
	}
	if _, err := store.ensureLeaf(frontProxy, leaf{file: "front-proxy-client", subject: pkix.Name{CommonName: "front-proxy-client"}, usage: x509.ExtKeyUsageClientAuth}); err != nil {
		return err
	}
	leaves, err := servingCertificates(spec)
	if err != nil {
		return err
	}
	// The kubelet asks the API server whether a client may use it. RBAC would need a
	// binding that nothing has made yet when the first request comes, hence this group.
	leaves = append(leaves, clientCertificate("apiserver-kubelet-client", "kube-apiserver-kubelet-client", administrators))
	for _, leaf := range leaves {
		if _, err := store.ensureLeaf(cluster, leaf); err != nil {
			return err
		}
	}
	return ensureKubeconfigs(spec, store, cluster)
}

func clientCertificate(file, user string, groups ...string) leaf {
	return leaf{file: file, subject: pkix.Name{CommonName: user, Organization: groups}, usage: x509.ExtKeyUsageClientAuth}
}
