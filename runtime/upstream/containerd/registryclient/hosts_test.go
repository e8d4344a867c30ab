package registryclient_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/remotes/docker"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/registryclient"
	"sandkube.dev/upstream/containerd/registryconfig"
)

// asked starts a server that has nothing, and notes the repositories that it is asked for.
func asked(t *testing.T) (address string, repositories func() []string) {
	t.Helper()
	var (
		mu    sync.Mutex
		paths []string
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, strings.TrimSuffix(request.URL.Path, "/manifests/1"))
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return paths
	}
}

func TestMirrorsHaveOtherNames(t *testing.T) {
	for name, test := range map[string]struct {
		rewrite, repository, root, want string
	}{
		"a prefix for every repository":         {`{"^(.*)$": "proxy/$1"}`, "team/app", "", "/v2/proxy/team/app"},
		"a prefix below a path":                 {`{"(.+)": "proxy/${1}"}`, "team/app", "/api/v2", "/api/v2/proxy/team/app"},
		"another name for a part":               {`{"^team/(.*)": "mirrors/team-$1"}`, "team/app", "", "/v2/mirrors/team-app"},
		"a rule for other repositories":         {`{"^other/(.*)": "x/$1"}`, "team/app", "", "/v2/team/app"},
		"the first rule that changes something": {`{"^a/": "x/", "^team/": "y/", "app$": "z"}`, "team/app", "", "/v2/y/app"},
		"a repository that is named manifests":  {`{"^(.*)$": "proxy/$1"}`, "team/manifests/app", "", "/v2/proxy/team/manifests/app"},
	} {
		t.Run(name, func(t *testing.T) {
			mirror, ofMirror := asked(t)
			registry, ofRegistry := asked(t)
			text := fmt.Sprintf(`mirrors: {%q: {endpoint: ["http://%s%s", "http://%s"], rewrite: %s}}`, registry, mirror, test.root, registry, test.rewrite)
			recorder := &fault.Recorder{}
			resolver := docker.NewResolver(docker.ResolverOptions{Hosts: registryclient.Hosts(t.Context(), registryclient.Settings{
				HostsDirectory: configure(t, text), Recorder: recorder,
			})})
			if _, _, err := resolver.Resolve(t.Context(), registry+"/"+test.repository+":1"); err == nil {
				t.Fatal("there is an image")
			}
			if got := ofMirror(); len(got) != 1 || got[0] != test.want {
				t.Errorf("the mirror is asked for %q, want %q", got, test.want)
			}
			if got := ofRegistry(); len(got) != 1 || got[0] != "/v2/"+test.repository {
				t.Errorf("the registry itself is asked for %q", got)
			}
			if faults := recorder.Faults(); len(faults) != 2 || faults[0].Host != mirror {
				t.Errorf("recorded: %v", faults)
			}
		})
	}
}

// configure writes what a registries.yaml says.
func configure(t *testing.T, text string) (directory string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "registries.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := registryconfig.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	directory = filepath.Join(t.TempDir(), "hosts")
	if err := config.WriteHosts(directory); err != nil {
		t.Fatal(err)
	}
	return directory
}
