package main

import (
	"fmt"
	"os"

	"sandkube.dev/runtime/internal/nodespec"
)

// corefileFormat is kubeadm's Corefile without a way out, which the lab's sandboxes do not
// have, at an address and for a domain and kubeconfig that are left open.
const corefileFormat = `.:53 {
    bind %s
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes %s in-addr.arpa ip6.arpa {
        kubeconfig %s
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    cache 30
    reload
    loadbalance
}
`

// writeCorefile writes the configuration of CoreDNS and returns its path.
func writeCorefile(view *nodespec.NodeView) (string, error) {
	content := fmt.Sprintf(corefileFormat, view.Self.Address, nodespec.ClusterDomain, view.AdminKubeconfig())
	path := view.Path("Corefile")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", fmt.Errorf("the configuration of CoreDNS: %w", err)
	}
	return path, nil
}
