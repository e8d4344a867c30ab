package registryclient

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"

	"sandkube.dev/upstream/containerd/registryconfig"
)

// rewrite makes requests to the mirrors of a registry use the names that they have for
// repositories. The registry itself is asked for its own.
func rewrite(hosts []docker.RegistryHost, registry string, rewrites registryconfig.Rewrites) {
	for i := range hosts {
		host := &hosts[i]
		if own, err := docker.DefaultHost(registry); host.Host == registry || (err == nil && host.Host == own) {
			continue
		}
		client := *host.Client
		client.Transport = &rewriting{transport: client.Transport, root: host.Path, rewrites: rewrites}
		host.Client = &client
	}
}

// rewriting changes the repository in the path of requests.
type rewriting struct {
	transport http.RoundTripper
	// root is the path of the API.
	root     string
	rewrites registryconfig.Rewrites
}

// inRepository is a path below the API's root (OCI distribution specification, "Endpoints").
var inRepository = regexp.MustCompile(`^/(.+)(/(?:manifests|blobs|referrers)/[^/]+|/tags/list)$`)

// RoundTrip implements http.RoundTripper.
func (r *rewriting) RoundTrip(request *http.Request) (*http.Response, error) {
	below, found := strings.CutPrefix(request.URL.Path, r.root)
	match := inRepository.FindStringSubmatch(below)
	// Where a host sends its clients to, it uses its own names.
	redirected := request.Response != nil
	if !found || match == nil || redirected {
		return r.transport.RoundTrip(request)
	}
	changed := request.Clone(request.Context())
	changed.URL.Path, changed.URL.RawPath = r.root+"/"+r.rewrites.Apply(match[1])+match[2], ""
	return r.transport.RoundTrip(changed)
}
