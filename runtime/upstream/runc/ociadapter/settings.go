package ociadapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Settings say how each container's spec is edited: the object node.oci of the node spec
// (protocol/node-spec.schema.json).
//
// The runtime checks the whole document when a cluster starts. The adapter, which runs several
// times for each container, reads what it needs.
type Settings struct {
	// DropNamespaces lists namespaces that are left out: "cgroup", "pid".
	DropNamespaces        []string `json:"dropNamespaces"`
	DropMaskedDirectories bool     `json:"dropMaskedDirectories"`
	DropSeccomp           bool     `json:"dropSeccomp"`
	// AnyProcRoot makes runc accept a procfs whose root inode is not 1.
	AnyProcRoot bool `json:"anyProcRoot"`
	// SysctlStandIns gives pods files below /proc/sys in place of kernel settings of their
	// securityContext that the kernel does not have.
	SysctlStandIns bool `json:"sysctlStandIns"`
	// Environment is what containers get of variables that they do not set themselves, in
	// upper or lower case. A proxy's URL may hold a password.
	Environment map[string]string `json:"environment"`
	// CABundle is a file of CA certificates that containers find at caBundleInContainer;
	// empty: they get none.
	CABundle string `json:"caBundle"`
}

func loadSettings(path string) (Settings, error) {
	document, err := os.ReadFile(path)
	if err != nil {
		return Settings{}, fmt.Errorf("read node spec: %w", err)
	}
	settings, err := decodeSettings(document)
	if err != nil {
		return Settings{}, fmt.Errorf("node spec %s: %w", path, err)
	}
	return settings, nil
}

// decodeSettings passes over all of a node spec but node.oci. A field of that which it does not
// know is an error, since it would have no effect.
func decodeSettings(document []byte) (Settings, error) {
	var spec struct {
		Node *struct {
			OCI *json.RawMessage `json:"oci"`
		} `json:"node"`
	}
	if err := json.Unmarshal(document, &spec); err != nil {
		return Settings{}, fmt.Errorf("decode: %w", err)
	}
	if spec.Node == nil || spec.Node.OCI == nil {
		return Settings{}, errors.New("it has no node.oci")
	}
	decoder := json.NewDecoder(bytes.NewReader(*spec.Node.OCI))
	decoder.DisallowUnknownFields()
	var settings Settings
	if err := decoder.Decode(&settings); err != nil {
		return Settings{}, fmt.Errorf("decode node.oci: %w", err)
	}
	return settings, nil
}
