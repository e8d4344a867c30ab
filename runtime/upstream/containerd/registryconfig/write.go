package registryconfig

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/pelletier/go-toml/v2"
)

// defaultDirectory is where containerd looks for registries that have no directory.
const defaultDirectory = "_default"

// endpoint is one place that containerd asks, in the terms of its hosts.toml (docs/hosts.md).
type endpoint struct {
	Capabilities []string    `toml:"capabilities,omitempty"`
	CA           []string    `toml:"ca,omitempty"`
	Client       [][2]string `toml:"client,omitempty"`
	SkipVerify   *bool       `toml:"skip_verify,omitempty"`
	OverridePath bool        `toml:"override_path,omitempty"`
}

// WriteHosts writes a hosts.toml for each registry that is not asked in the usual way, and
// what its mirrors call its repositories, below a directory that must not exist.
func (c *Config) WriteHosts(directory string) error {
	names := make(map[string]bool)
	for name := range c.Mirrors {
		names[name] = true
	}
	for name := range c.Configs {
		names[name] = true
	}
	if err := os.Mkdir(directory, 0o700); err != nil {
		return err
	}
	for name := range names {
		text, err := c.hosts(name)
		if err != nil {
			return err
		}
		host := filepath.Join(directory, directoryOf(name))
		if err := os.Mkdir(host, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(host, "hosts.toml"), text, 0o600); err != nil {
			return err
		}
		if err := writeRewrites(host, c.Mirrors[name].Rewrites); err != nil {
			return err
		}
	}
	return nil
}

// hosts renders the hosts.toml of one registry. The order of the endpoints is that of
// their tables, which a marshalled map would not keep.
func (c *Config) hosts(name string) ([]byte, error) {
	var text []byte
	registry := c.endpoint(name)
	endpoints := c.Mirrors[name].Endpoints
	if name != Wildcard {
		host, err := docker.DefaultHost(name)
		if err != nil {
			return nil, err
		}
		at := &url.URL{Scheme: defaultScheme(host), Host: host}
		registry = registry.or(c.endpoint(host))
		if last, own := lastIsItself(endpoints, name, host); own {
			// It says how the registry is reached, not what to ask before it.
			at, endpoints = last, endpoints[:len(endpoints)-1]
			registry.OverridePath = setRoot(at)
		}
		text = fmt.Appendf(text, "server = '%s'\n", at)
	}
	settings, err := toml.Marshal(registry)
	if err != nil {
		return nil, err
	}
	text = append(text, settings...)
	written := make(map[string]bool)
	for _, address := range endpoints {
		at, err := parseEndpoint(address)
		if err != nil {
			return nil, err
		}
		how := c.endpoint(at.Host)
		how.Capabilities = []string{"pull", "resolve"}
		how.OverridePath = setRoot(at)
		if written[at.String()] {
			continue
		}
		written[at.String()] = true
		settings, err := toml.Marshal(how)
		if err != nil {
			return nil, err
		}
		// A URL holds no single quote: net/url writes it as %27.
		text = append(fmt.Appendf(text, "\n[host.'%s']\n", at), settings...)
	}
	return text, nil
}

// lastIsItself says whether the last endpoint is the registry's own host.
func lastIsItself(endpoints []string, name, host string) (*url.URL, bool) {
	if len(endpoints) == 0 {
		return nil, false
	}
	last, err := parseEndpoint(endpoints[len(endpoints)-1])
	return last, err == nil && (last.Host == name || last.Host == host)
}

// setRoot makes an endpoint's path the root of its API, and says whether it is another
// than containerd would take.
func setRoot(at *url.URL) bool {
	at.Path = strings.TrimSuffix(at.Path, "/")
	if at.Path == "" {
		at.Path = "/v2"
	}
	return at.Path != "/v2"
}

// endpoint is how to talk to a host, by its own entry or else by that for all.
func (c *Config) endpoint(host string) endpoint {
	config, found := c.Configs[host]
	if !found || config.TLS == nil {
		config = c.Configs[Wildcard]
	}
	var made endpoint
	if config.TLS == nil {
		return made
	}
	if config.TLS.CAFile != "" {
		made.CA = []string{config.TLS.CAFile}
	}
	if config.TLS.CertFile != "" {
		made.Client = [][2]string{{config.TLS.CertFile, config.TLS.KeyFile}}
	}
	if config.TLS.InsecureSkipVerify {
		made.SkipVerify = &config.TLS.InsecureSkipVerify
	}
	return made
}

// or is the endpoint itself if it says anything, else the other one.
func (e endpoint) or(other endpoint) endpoint {
	if e.CA == nil && e.Client == nil && e.SkipVerify == nil {
		return other
	}
	return e
}

// directoryOf is where containerd looks for a registry: a port is written _PORT_.
func directoryOf(name string) string {
	if name == Wildcard {
		return defaultDirectory
	}
	if at := strings.LastIndex(name, ":"); at > 0 && !strings.HasSuffix(name, "]") {
		return fmt.Sprintf("%s_%s_", name[:at], name[at+1:])
	}
	return name
}

// defaultScheme is how containerd talks to a host whose scheme is not said.
func defaultScheme(host string) string {
	_, port, err := net.SplitHostPort(host)
	if err == nil && port != "443" && docker.IsLocalhost(host) {
		return "http"
	}
	return "https"
}
