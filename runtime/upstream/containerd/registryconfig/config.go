// Package registryconfig reads registries.yaml, the file in which k3s' users say from where
// and how images are pulled, and writes the same for containerd.
package registryconfig

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Wildcard stands for every registry that is not named.
const Wildcard = "*"

// Config is the content of a registries.yaml, as k3s' documentation of private registries
// describes it.
type Config struct {
	// Mirrors are endpoints to ask before a registry itself, by the registry's name.
	Mirrors map[string]Mirror `json:"mirrors"`
	// Configs say how to talk to a registry or an endpoint, by host and port.
	Configs map[string]Host `json:"configs"`
}

// Mirror lists endpoints, in the order in which they are asked.
type Mirror struct {
	Endpoints []string `json:"endpoint"`
	// Rewrites map regular expressions for repositories to what the endpoints call them.
	Rewrites map[string]string `json:"rewrite"`
}

// Host says how to talk to a host.
type Host struct {
	Auth *Auth `json:"auth"`
	TLS  *TLS  `json:"tls"`
}

// Auth is an account: a user and a password, or both in base64, or an identity token.
type Auth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	IdentityToken string `json:"identity_token"`
}

// TLS says whom to trust and who to be. The files' paths are absolute.
type TLS struct {
	CAFile             string `json:"ca_file"`
	CertFile           string `json:"cert_file"`
	KeyFile            string `json:"key_file"`
	InsecureSkipVerify bool   `json:"insecure_skip_verify"`
}

// Load reads and checks a file. The error names everything that is wrong in it, without
// any password.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var config Config
	if err := yaml.UnmarshalStrict(data, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &config, nil
}

func (c *Config) validate() error {
	var errs []error
	for name, mirror := range c.Mirrors {
		if err := checkHost(name); err != nil {
			errs = append(errs, fmt.Errorf("mirrors: %w", err))
		}
		for _, text := range mirror.Endpoints {
			if _, err := parseEndpoint(text); err != nil {
				errs = append(errs, fmt.Errorf("mirrors.%s.endpoint: %w", name, err))
			}
		}
		if _, err := newRewrites(mirror.Rewrites); err != nil {
			errs = append(errs, fmt.Errorf("mirrors.%s.rewrite: %w", name, err))
		}
	}
	for name, host := range c.Configs {
		if err := checkHost(name); err != nil {
			errs = append(errs, fmt.Errorf("configs: %w", err))
		}
		errs = append(errs, host.validate(name)...)
	}
	return errors.Join(errs...)
}

func (h Host) validate(name string) (errs []error) {
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("configs.%s.%s: %w", name, field, fmt.Errorf(format, args...)))
	}
	if h.Auth != nil {
		switch {
		case name == Wildcard:
			wrong("auth", "an account is for one host, not for all")
		case h.Auth.IdentityToken == "" && h.Auth.Auth == "" && (h.Auth.Username == "" || h.Auth.Password == ""):
			wrong("auth", "needs username and password, or auth, or identity_token")
		}
		if _, _, err := h.Auth.decode(); err != nil {
			wrong("auth.auth", "%w", err)
		}
	}
	if h.TLS == nil {
		return errs
	}
	if (h.TLS.CertFile == "") != (h.TLS.KeyFile == "") {
		wrong("tls", "cert_file and key_file belong together")
	}
	for field, file := range map[string]string{"ca_file": h.TLS.CAFile, "cert_file": h.TLS.CertFile, "key_file": h.TLS.KeyFile} {
		if file == "" {
			continue
		}
		if err := checkPEM(file); err != nil {
			wrong("tls."+field, "%w", err)
		}
	}
	return errs
}

func checkPEM(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is not an absolute path", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(data); block == nil {
		return fmt.Errorf("%s holds no PEM", path)
	}
	return nil
}

var hostPattern = regexp.MustCompile(`^(\*|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?)$`)

func checkHost(name string) error {
	if !hostPattern.MatchString(name) {
		return fmt.Errorf("%q is not a host with or without a port, or *", name)
	}
	return nil
}

// parseEndpoint reads an endpoint's URL; without a scheme it is reached by HTTPS, but for
// loopback addresses with a port, as by containerd.
func parseEndpoint(text string) (*url.URL, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = defaultScheme(text) + "://" + text
	}
	parsed, err := url.Parse(full)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL", text)
	}
	if parsed.User != nil {
		return nil, fmt.Errorf("the endpoint at %s holds an account: it belongs into configs", parsed.Host)
	}
	if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
		return nil, fmt.Errorf("%q is no http or https URL", text)
	}
	return parsed, nil
}
