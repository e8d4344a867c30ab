package pull

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/distribution/reference"
	dockerconfig "github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"

	"sandkube.dev/upstream/containerd/registryconfig"
)

// Accounts finds the account for a host: the request's own, else that of registries.yaml,
// else docker's, with its credential helpers.
type Accounts struct {
	given  *Account
	onFile map[string]registryconfig.Account
	docker *configfile.ConfigFile
	// defaultRegistry is the registry of names without one, and defaultHost where it answers.
	defaultRegistry, defaultHost string
}

// NewAccounts reads what is on file: of registries.yaml, as registryconfig wrote it, and of
// docker's config.json, where DOCKER_CONFIG or HOME has it.
func NewAccounts(given *Account, file string) (*Accounts, error) {
	accounts := &Accounts{given: given}
	var err error
	if accounts.onFile, err = registryconfig.ReadAccounts(file); err != nil {
		return nil, err
	}
	if accounts.docker, err = dockerconfig.Load(dockerconfig.Dir()); err != nil {
		return nil, fmt.Errorf("docker's configuration: %w", err)
	}
	unqualified, err := reference.ParseNormalizedNamed("a")
	if err != nil {
		return nil, err
	}
	accounts.defaultRegistry = reference.Domain(unqualified)
	accounts.defaultHost, err = docker.DefaultHost(accounts.defaultRegistry)
	return accounts, err
}

// Find gives a user and a secret, or a secret alone if it is an identity token; both empty:
// there is no account. It fits containerd's docker.WithAuthCreds.
func (a *Accounts) Find(host string) (username, secret string, err error) {
	if a.given != nil {
		return a.given.Username, a.given.Secret, nil
	}
	if account, found := a.onFile[host]; found {
		return account.Username, account.Secret, nil
	}
	key := host
	if host == a.defaultHost {
		// docker keeps the default registry's account under the address of its index.
		key = "https://index." + a.defaultRegistry + "/v1/"
	}
	account, err := a.docker.GetAuthConfig(key)
	if err != nil {
		return "", "", fmt.Errorf("docker's account for %s: %w", host, err)
	}
	if account.IdentityToken != "" {
		return "", account.IdentityToken, nil
	}
	return account.Username, account.Password, nil
}
