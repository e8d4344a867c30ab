package registryconfig_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"

	"sandkube.dev/upstream/containerd/registryconfig"
)

// load writes a registries.yaml, in which CA stands for a file with a certificate.
func load(t *testing.T, text string) (*registryconfig.Config, error) {
	t.Helper()
	directory := t.TempDir()
	ca := filepath.Join(directory, "ca.pem")
	write(t, ca, certificate(t))
	path := filepath.Join(directory, "registries.yaml")
	write(t, path, []byte(strings.ReplaceAll(text, "CA", ca)))
	return registryconfig.Load(path)
}

func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// endpoints are the places that containerd itself asks for a registry's images, by what
// WriteHosts has written.
func endpoints(t *testing.T, c *registryconfig.Config, registry string) []docker.RegistryHost {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "certs.d")
	if err := c.WriteHosts(directory); err != nil {
		t.Fatal(err)
	}
	hosts, err := config.ConfigureHosts(t.Context(), config.HostOptions{HostDir: config.HostDirFromRoot(directory)})(registry)
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}

func urls(hosts []docker.RegistryHost) string {
	var all []string
	for _, host := range hosts {
		all = append(all, host.Scheme+"://"+host.Host+host.Path)
	}
	return strings.Join(all, " ")
}

func TestContainerdAsksTheMirrorsFirst(t *testing.T) {
	for name, test := range map[string]struct{ file, registry, want string }{
		"no entry": {
			file: `mirrors: {other.example: {endpoint: ["http://m.example"]}}`, registry: "r.example",
			want: "https://r.example/v2",
		},
		"mirrors in their order, the registry last": {
			file:     `mirrors: {"r.example:5000": {endpoint: ["http://z.example:1", "a.example", "https://a.example/"]}}`,
			registry: "r.example:5000",
			want:     "http://z.example:1/v2 https://a.example/v2 https://r.example:5000/v2",
		},
		"a mirror for all": {
			file: `mirrors: {"*": {endpoint: ["https://m.example"]}}`, registry: "r.example",
			want: "https://m.example/v2 https://r.example/v2",
		},
		"how the registry itself is reached": {
			file:     `mirrors: {"r.example:5000": {endpoint: ["a.example", "http://r.example:5000"]}}`,
			registry: "r.example:5000",
			want:     "https://a.example/v2 http://r.example:5000/v2",
		},
		"a path of the API's own": {
			file:     `mirrors: {r.example: {endpoint: ["https://m.example/api/v2"]}}`,
			registry: "r.example",
			want:     "https://m.example/api/v2 https://r.example/v2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, test.file)
			if err != nil {
				t.Fatal(err)
			}
			if got := urls(endpoints(t, c, test.registry)); got != test.want {
				t.Errorf("asked: %s\nwant:  %s", got, test.want)
			}
		})
	}
}

func TestTLSIsSetByHost(t *testing.T) {
	c, err := load(t, `
mirrors:
  r.example: {endpoint: ["https://m.example:5000"]}
configs:
  "m.example:5000": {tls: {ca_file: CA}}
  r.example: {tls: {insecure_skip_verify: true}}
`)
	if err != nil {
		t.Fatal(err)
	}
	hosts := endpoints(t, c, "r.example")
	if len(hosts) != 2 {
		t.Fatalf("%d endpoints", len(hosts))
	}
	mirror := hosts[0].Client.Transport.(*http.Transport).TLSClientConfig
	if mirror.RootCAs == nil || mirror.InsecureSkipVerify {
		t.Errorf("the mirror is trusted by %+v", mirror)
	}
	if registry := hosts[1].Client.Transport.(*http.Transport).TLSClientConfig; !registry.InsecureSkipVerify {
		t.Error("the registry's certificate is verified")
	}
}

func TestAccountsAreReadBack(t *testing.T) {
	c, err := load(t, `
configs:
  "r.example:5000": {auth: {username: user, password: 'p"ss'}}
  b.example: {auth: {auth: dXNlcjpzZWNyZXQ=}}
  t.example: {auth: {identity_token: token}}
`)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "accounts.json")
	if err := c.WriteAccounts(file); err != nil {
		t.Fatal(err)
	}
	got, err := registryconfig.ReadAccounts(file)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]registryconfig.Account{
		"r.example:5000": {Username: "user", Secret: `p"ss`},
		"b.example":      {Username: "user", Secret: "secret"},
		"t.example":      {Secret: "token"},
	} {
		if got[host] != want {
			t.Errorf("%s: %+v, want %+v", host, got[host], want)
		}
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`mirrors: [`:                            "yaml",
		`mirror: {}`:                            `unknown field "mirror"`,
		`mirrors: {"a/b": {}}`:                  `"a/b" is not a host`,
		`mirrors: {a: {endpoint: ["ftp://b"]}}`: `mirrors.a.endpoint: "ftp://b" is no http or https URL`,
		`mirrors: {a: {endpoint: ["https://u:hush@b"]}}`: "the endpoint at b holds an account",
		`mirrors: {a: {rewrite: {"^x/(.*": "y/$1"}}}`:    `mirrors.a.rewrite: "^x/(.*" is no regular expression`,
		`configs: {a: {auth: {username: u}}}`:            "configs.a.auth: needs username and password",
		`configs: {a: {auth: {auth: "hush"}}}`:           "configs.a.auth.auth: is no",
		`configs: {"*": {auth: {auth: "dTpw"}}}`:         "configs.*.auth",
		`configs: {a: {tls: {ca_file: ca.pem}}}`:         `configs.a.tls.ca_file: "ca.pem" is not an absolute path`,
		`configs: {a: {tls: {ca_file: /nowhere}}}`:       "configs.a.tls.ca_file: open /nowhere",
		`configs: {a: {tls: {cert_file: CA}}}`:           "cert_file and key_file belong together",
	} {
		_, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error holds the password: %v", text, err)
		}
	}
}
