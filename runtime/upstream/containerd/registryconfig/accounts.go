package registryconfig

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// Account is what a host is told: a user and a password, or a token alone.
type Account struct {
	Username string `json:"username,omitempty"`
	// Secret is the password, or the identity token of an account without a user.
	Secret string `json:"secret"`
}

// WriteAccounts writes the accounts, by host, to a file that only its owner may read.
func (c *Config) WriteAccounts(file string) error {
	accounts := make(map[string]Account)
	for name, host := range c.Configs {
		if host.Auth == nil {
			continue
		}
		account, err := host.Auth.account()
		if err != nil {
			return err
		}
		// It is looked up by the host that is talked to.
		at, err := docker.DefaultHost(name)
		if err != nil {
			return err
		}
		accounts[name], accounts[at] = account, account
	}
	text, err := json.Marshal(accounts)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// ReadAccounts reads what WriteAccounts has written: accounts by host. A file that does not
// exist has none.
func ReadAccounts(file string) (map[string]Account, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var accounts map[string]Account
	if err := json.Unmarshal(text, &accounts); err != nil {
		// The library's error could quote the file.
		return nil, fmt.Errorf("%s is unreadable", file)
	}
	return accounts, nil
}

func (a *Auth) account() (Account, error) {
	if a.IdentityToken != "" {
		return Account{Secret: a.IdentityToken}, nil
	}
	user, secret, err := a.decode()
	return Account{Username: user, Secret: secret}, err
}

// decode gives the user and the password.
func (a *Auth) decode() (user, secret string, err error) {
	if a.Auth == "" {
		return a.Username, a.Password, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(a.Auth)
	if err != nil {
		return "", "", errors.New("is no base64")
	}
	user, secret, found := strings.Cut(string(decoded), ":")
	if !found {
		return "", "", errors.New("is not user:password in base64")
	}
	return user, strings.TrimRight(secret, "\x00"), nil
}
