// Package registryclient speaks to registries and their mirrors as a registries.yaml says,
// whoever pulls: the kubelet, a command, or a trial of the way.
package registryclient

import (
	"context"
	"crypto/tls"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"
	"github.com/containerd/errdefs"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/registryconfig"
)

// Settings say how registries are asked.
type Settings struct {
	// HostsDirectory is what registryconfig.WriteHosts wrote; it may not exist.
	HostsDirectory string
	// Account gives the user and the secret for a host, or a secret alone if it is an identity
	// token; both empty: there is none.
	Account func(host string) (username, secret string, err error)
	// Recorder sees all requests.
	Recorder *fault.Recorder
	// Insecure accepts any certificate, and HTTP where there is no TLS.
	Insecure bool
}

// Hosts gives the hosts to ask for a registry's images, in their order.
func Hosts(ctx context.Context, settings Settings) docker.RegistryHosts {
	directoryOf := config.HostDirFromRoot(settings.HostsDirectory)
	options := config.HostOptions{
		HostDir:      directoryOf,
		Credentials:  settings.Account,
		UpdateClient: settings.Recorder.Watch,
	}
	if settings.Insecure {
		// containerd then tries HTTPS first and HTTP where that is not spoken.
		options.DefaultScheme = "http"
		options.DefaultTLS = &tls.Config{InsecureSkipVerify: true}
	}
	hostsOf := config.ConfigureHosts(ctx, options)
	return func(registry string) ([]docker.RegistryHost, error) {
		hosts, err := hostsOf(registry)
		if err != nil {
			return nil, err
		}
		directory, err := directoryOf(registry)
		if errdefs.IsNotFound(err) {
			return hosts, nil
		}
		if err != nil {
			return nil, err
		}
		rewrites, err := registryconfig.ReadRewrites(directory)
		if err != nil {
			return nil, err
		}
		if len(rewrites) > 0 {
			rewrite(hosts, registry, rewrites)
		}
		return hosts, nil
	}
}
