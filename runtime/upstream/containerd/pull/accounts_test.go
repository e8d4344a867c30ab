package pull

import (
	"os"
	"path/filepath"
	"testing"

	"sandkube.dev/upstream/containerd/registryconfig"
)

// helper is a credential helper as docker's documentation describes them: it gets the
// registry on standard input.
const helper = `#!/bin/sh
[ "$1" = get ] || exit 1
read -r registry
case "$registry" in
helped.test) echo '{"ServerURL":"helped.test","Username":"user","Secret":"from the helper"}' ;;
token.test) echo '{"ServerURL":"token.test","Username":"<token>","Secret":"an identity token"}' ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`

const dockerConfig = `{
  "auths": {"filed.test": {"auth": "dXNlcjpzZWNyZXQ="}},
  "credHelpers": {"helped.test": "sandkube-test", "token.test": "sandkube-test", "unknown.test": "sandkube-test", "broken.test": "sandkube-missing"}
}`

func TestAccountsOfDocker(t *testing.T) {
	directory := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("docker-credential-sandkube-test", helper, 0o755)
	write("config.json", dockerConfig, 0o600)
	t.Setenv("PATH", directory+":/usr/bin:/bin")
	t.Setenv("DOCKER_CONFIG", directory)
	accounts, err := NewAccounts(nil, filepath.Join(directory, "none"))
	if err != nil {
		t.Fatal(err)
	}
	// The package that reads the configuration remembers where it lies from its first use on.
	if accounts.docker.Filename != filepath.Join(directory, "config.json") {
		t.Fatalf("docker's configuration is read from %s", accounts.docker.Filename)
	}
	accounts.onFile = map[string]registryconfig.Account{"own.test": {Username: "own", Secret: "of registries.yaml"}}
	for _, test := range []struct{ host, username, secret string }{
		{"filed.test", "user", "secret"},
		{"helped.test", "user", "from the helper"},
		{"token.test", "", "an identity token"},
		{"unknown.test", "", ""},
		{"nowhere.test", "", ""},
		{"own.test", "own", "of registries.yaml"},
	} {
		username, secret, err := accounts.Find(test.host)
		if err != nil || username != test.username || secret != test.secret {
			t.Errorf("%s: got %q, %q, %v", test.host, username, secret, err)
		}
	}
	if _, _, err := accounts.Find("broken.test"); err == nil {
		t.Error("a helper that is missing is no error")
	}
	given := &Account{Username: "me", Secret: "given"}
	accounts.given = given
	if username, secret, err := accounts.Find("helped.test"); err != nil || username != given.Username || secret != given.Secret {
		t.Errorf("an account that is given: %q, %q, %v", username, secret, err)
	}
}
