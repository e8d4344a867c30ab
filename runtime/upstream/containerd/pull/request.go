// Package pull brings an image from a registry to a node, as the kubelet's own pulls do:
// by the same mirrors, certificates and accounts; and tells how far it is.
package pull

import (
	"github.com/distribution/reference"

	"sandkube.dev/upstream/containerd/refusal"
)

// Request says what is pulled, and how. It is read from standard input, since it may hold
// a password.
type Request struct {
	Reference string `json:"reference"`
	// Platform is OS/ARCHITECTURE[/VARIANT]; empty: this machine's.
	Platform string `json:"platform"`
	// Insecure accepts any certificate, and HTTP where there is no TLS.
	Insecure bool `json:"insecure"`
	// UnpackLimitBytes is what each layer may become when it is unpacked; 0: what real ones do.
	UnpackLimitBytes int64 `json:"unpackLimitBytes"`
	// Account is for the registry of the reference and its mirrors; nil: those on file are used.
	Account *Account `json:"account"`
	// Socket is containerd's.
	Socket      string `json:"socket"`
	Snapshotter string `json:"snapshotter"`
	// HostsDirectory and AccountsFile are what registryconfig writes.
	HostsDirectory string `json:"hostsDirectory"`
	AccountsFile   string `json:"accountsFile"`
}

// Account is a user and a password, or an identity token as the secret alone.
type Account struct {
	Username string `json:"username"`
	Secret   string `json:"secret"`
}

// ParseReference completes a reference as pods' are: `hello` is the default registry's
// library/hello:latest.
func ParseReference(text string) (reference.Named, error) {
	named, err := reference.ParseDockerRef(text)
	if err != nil {
		return nil, refusal.New(refusal.Usage, "%q is not an image's name: %v", text, err)
	}
	return named, nil
}
