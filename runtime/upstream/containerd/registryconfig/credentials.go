package registryconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

const (
	// imagesPlugin is the part of containerd that pulls for the kubelet.
	imagesPlugin    = "io.containerd.cri.v1.images"
	credentialsFile = "registry-accounts.toml"
)

// Account is what a host is told: a user and a password, or a token alone.
type Account struct {
	Username string
	// Secret is the password, or the identity token of an account without a user.
	Secret string
}

// ReadCredentials reads what WriteCredentials has written: accounts by host.
func ReadCredentials(directory string) (map[string]Account, error) {
	data, err := os.ReadFile(filepath.Join(directory, credentialsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var part struct {
		Plugins map[string]struct {
			Registry struct {
				Configs map[string]struct {
					Auth struct {
						Username      string `toml:"username"`
						Password      string `toml:"password"`
						IdentityToken string `toml:"identitytoken"`
					} `toml:"auth"`
				} `toml:"configs"`
			} `toml:"registry"`
		} `toml:"plugins"`
	}
	if err := toml.Unmarshal(data, &part); err != nil {
		// The library's error would quote the file.
		return nil, fmt.Errorf("%s is unreadable", filepath.Join(directory, credentialsFile))
	}
	accounts := make(map[string]Account)
	for host, config := range part.Plugins[imagesPlugin].Registry.Configs {
		account := Account{Username: config.Auth.Username, Secret: config.Auth.Password}
		if config.Auth.IdentityToken != "" {
			account = Account{Secret: config.Auth.IdentityToken}
		}
		accounts[host] = account
	}
	return accounts, nil
}
