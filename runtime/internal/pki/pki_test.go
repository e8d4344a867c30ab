package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/nodespec"
)

// testSpec is a valid spec with its directory in a temporary one.
func testSpec(t *testing.T) *nodespec.NodeSpec {
	t.Helper()
	spec, err := nodespec.Load("../../../protocol/testdata/node-spec-g26.json")
	if err != nil {
		t.Fatal(err)
	}
	spec.Cluster.Directory = filepath.Join(t.TempDir(), "default")
	return spec
}

func ensure(t *testing.T, spec *nodespec.NodeSpec, now time.Time) {
	t.Helper()
	if err := Ensure(spec, now); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, spec *nodespec.NodeSpec, file string) *x509.Certificate {
	t.Helper()
	// This also checks that key and certificate belong together.
	loaded, err := tls.LoadX509KeyPair(spec.PKI(file+".crt"), spec.PKI(file+".key"))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return loaded.Leaf
}

// trusted verifies a certificate against an authority's file.
func trusted(t *testing.T, spec *nodespec.NodeSpec, authority string, certificate *x509.Certificate, options x509.VerifyOptions) error {
	t.Helper()
	content, err := os.ReadFile(spec.PKI(authority + ".crt"))
	if err != nil {
		t.Fatal(err)
	}
	options.Roots = x509.NewCertPool()
	if !options.Roots.AppendCertsFromPEM(content) {
		t.Fatalf("%s.crt has no certificate", authority)
	}
	_, err = certificate.Verify(options)
	return err
}

func TestCertificatesAreWhatTheirUsersNeed(t *testing.T) {
	spec := testSpec(t)
	spec.ControlPlane.BindAddress = "192.0.2.7"
	ensure(t, spec, time.Now())
	server := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "node-1", "127.0.0.1", "::1", "192.0.2.7", "10.42.0.1", "10.43.0.1"}
	tests := []struct {
		file, authority, user string
		groups                []string
		usage                 x509.ExtKeyUsage
		names                 []string
	}{
		{"apiserver", "ca", "kube-apiserver", nil, x509.ExtKeyUsageServerAuth, server},
		{"kubelet", "ca", "kubelet", nil, x509.ExtKeyUsageServerAuth, []string{"node-1", "10.42.0.1", "127.0.0.1"}},
		{"apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", []string{"system:masters"}, x509.ExtKeyUsageClientAuth, nil},
		{"front-proxy-client", "front-proxy-ca", "front-proxy-client", nil, x509.ExtKeyUsageClientAuth, nil},
		{"admin", "ca", "kubernetes-admin", []string{"system:masters"}, x509.ExtKeyUsageClientAuth, nil},
		{"controller-manager", "ca", "system:kube-controller-manager", nil, x509.ExtKeyUsageClientAuth, nil},
		{"scheduler", "ca", "system:kube-scheduler", nil, x509.ExtKeyUsageClientAuth, nil},
		{"kubelet-client", "ca", "system:node:node-1", []string{"system:nodes"}, x509.ExtKeyUsageClientAuth, nil},
		{"network", "ca", "sandkube:network", nil, x509.ExtKeyUsageClientAuth, nil},
		{"storage-provisioner", "ca", "sandkube:storage-provisioner", nil, x509.ExtKeyUsageClientAuth, nil},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			certificate := load(t, spec, test.file)
			usages := []x509.ExtKeyUsage{test.usage}
			if err := trusted(t, spec, test.authority, certificate, x509.VerifyOptions{KeyUsages: usages}); err != nil {
				t.Error(err)
			}
			other := map[string]string{"ca": "front-proxy-ca", "front-proxy-ca": "ca"}[test.authority]
			if trusted(t, spec, other, certificate, x509.VerifyOptions{KeyUsages: usages}) == nil {
				t.Errorf("%s vouches for it too", other)
			}
			if !slices.Equal(certificate.ExtKeyUsage, usages) {
				t.Errorf("usages are %v", certificate.ExtKeyUsage)
			}
			if certificate.Subject.CommonName != test.user || !slices.Equal(certificate.Subject.Organization, test.groups) {
				t.Errorf("subject is %s", certificate.Subject)
			}
			for _, name := range test.names {
				if err := certificate.VerifyHostname(name); err != nil {
					t.Error(err)
				}
			}
			if certificate.VerifyHostname("example.com") == nil {
				t.Error("it is valid for example.com")
			}
			if certificate.IsCA {
				t.Error("it is an authority")
			}
		})
	}
}

func TestServiceAccountKeysBelongTogether(t *testing.T) {
	spec := testSpec(t)
	ensure(t, spec, time.Now())
	store := &store{directory: spec.Path("pki")}
	key, err := store.readKey("sa")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(spec.PKI("sa.pub"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !public.(*ecdsa.PublicKey).Equal(&key.PublicKey) {
		t.Error("sa.pub is not the public half of sa.key")
	}
}

func TestPrivateFilesAreTheOwners(t *testing.T) {
	spec := testSpec(t)
	ensure(t, spec, time.Now())
	seen := 0
	err := filepath.WalkDir(spec.Cluster.Directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name := entry.Name()
		private := strings.HasSuffix(name, ".key") || strings.HasSuffix(name, "kubeconfig")
		switch {
		case private && info.Mode().Perm() != 0o600:
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		case entry.IsDir() && info.Mode().Perm() != 0o700 && path != spec.Cluster.Directory:
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		case strings.HasPrefix(name, "."):
			t.Errorf("%s was left behind", path)
		}
		if private {
			seen++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// 2 authorities, 10 certificates, the key of service accounts, 6 kubeconfigs.
	if seen != 19 {
		t.Errorf("%d private files, want 19", seen)
	}
}

// contents maps all files below the cluster's directory to what they hold.
func contents(t *testing.T, spec *nodespec.NodeSpec) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(spec.Cluster.Directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(spec.Cluster.Directory, path)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestOnlyWhatMustBeMadeAnewIs(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name    string
		change  func(t *testing.T, spec *nodespec.NodeSpec)
		later   time.Duration
		changed []string
	}{
		{"nothing", nil, 0, nil},
		{"some time later", nil, 334 * day, nil},
		{"another address", func(_ *testing.T, spec *nodespec.NodeSpec) { spec.ControlPlane.AdvertiseAddress = "192.0.2.9" }, 0,
			[]string{"pki/apiserver.crt", "pki/apiserver.key"}},
		{"another port", func(_ *testing.T, spec *nodespec.NodeSpec) { spec.ControlPlane.Port = 16443 }, 0,
			[]string{
				"kubeconfig", "kubeconfigs/controller-manager.kubeconfig", "kubeconfigs/kubelet.kubeconfig", "kubeconfigs/network.kubeconfig",
				"kubeconfigs/scheduler.kubeconfig", "kubeconfigs/storage-provisioner.kubeconfig",
			}},
		{"a lost key", func(t *testing.T, spec *nodespec.NodeSpec) { remove(t, spec.PKI("scheduler.key")) }, 0,
			[]string{"kubeconfigs/scheduler.kubeconfig", "pki/scheduler.crt", "pki/scheduler.key"}},
		{"a damaged certificate", func(t *testing.T, spec *nodespec.NodeSpec) { cutInHalf(t, spec.PKI("kubelet.crt")) }, 0,
			[]string{"pki/kubelet.crt", "pki/kubelet.key"}},
		{"a lost public key", func(t *testing.T, spec *nodespec.NodeSpec) { remove(t, spec.PKI("sa.pub")) }, 0, nil},
		{"a lost authority", func(t *testing.T, spec *nodespec.NodeSpec) { remove(t, spec.PKI("front-proxy-ca.crt")) }, 0,
			[]string{"pki/front-proxy-ca.crt", "pki/front-proxy-ca.key", "pki/front-proxy-client.crt", "pki/front-proxy-client.key"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec, now := testSpec(t), time.Now()
			ensure(t, spec, now)
			before := contents(t, spec)
			if test.change != nil {
				test.change(t, spec)
			}
			ensure(t, spec, now.Add(test.later))
			var changed []string
			for name, content := range contents(t, spec) {
				if before[name] != content {
					changed = append(changed, name)
				}
			}
			slices.Sort(changed)
			if !slices.Equal(changed, test.changed) {
				t.Errorf("changed are %v, want %v", changed, test.changed)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func cutInHalf(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

func TestCertificatesAreRenewedInTime(t *testing.T) {
	spec, now := testSpec(t), time.Now()
	ensure(t, spec, now)
	authority := load(t, spec, "ca")
	later := now.Add(336 * 24 * time.Hour)
	ensure(t, spec, later)
	renewed := load(t, spec, "apiserver")
	if err := trusted(t, spec, "ca", renewed, x509.VerifyOptions{CurrentTime: later.Add(60 * 24 * time.Hour)}); err != nil {
		t.Errorf("60 days after its renewal: %v", err)
	}
	if !load(t, spec, "ca").Equal(authority) {
		t.Error("the authority was made anew after a year")
	}
	if err := trusted(t, spec, "ca", renewed, x509.VerifyOptions{CurrentTime: later.Add(-30 * time.Minute)}); err != nil {
		t.Errorf("with a clock that is 30 minutes behind: %v", err)
	}
	// An authority at its end takes everything along.
	end := now.Add(10 * 365 * 24 * time.Hour)
	ensure(t, spec, end)
	if load(t, spec, "ca").Equal(authority) {
		t.Error("an authority at its end was kept")
	}
	if err := trusted(t, spec, "ca", load(t, spec, "admin"), x509.VerifyOptions{CurrentTime: end, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
}

func TestEachNodeHasAnIdentityOfItsOwn(t *testing.T) {
	spec, err := nodespec.Load("../../../protocol/testdata/node-spec-two-nodes.json")
	if err != nil {
		t.Fatal(err)
	}
	spec.Cluster.Directory = filepath.Join(t.TempDir(), "default")
	ensure(t, spec, time.Now())
	for file, want := range map[string]string{
		"kubelet-client": "system:node:node-1", "kubelet-2-client": "system:node:node-2",
	} {
		if name := load(t, spec, file).Subject.CommonName; name != want {
			t.Errorf("%s is %s, want %s", file, name, want)
		}
	}
	for file, address := range map[string]string{"kubelet": "10.42.0.1", "kubelet-2": "10.42.1.1"} {
		if err := load(t, spec, file).VerifyHostname(address); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := os.Stat(spec.Kubeconfig("kubelet-2")); err != nil {
		t.Error(err)
	}
}

func TestControlPlaneAloneHasNoKubelet(t *testing.T) {
	spec := testSpec(t)
	spec.Node, spec.Nodes = nil, nil
	ensure(t, spec, time.Now())
	for _, path := range []string{spec.PKI("kubelet.crt"), spec.PKI("kubelet-client.crt"), spec.Kubeconfig("kubelet"), spec.Kubeconfig("network"), spec.Kubeconfig("storage-provisioner")} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	load(t, spec, "apiserver")
}
