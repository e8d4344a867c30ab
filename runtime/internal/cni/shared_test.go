package cni

import (
	"encoding/json"
	"strings"
	"testing"

	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/vishvananda/netlink"
)

// sharedConfig is the plugin's configuration in host-network mode.
func sharedConfig(t *testing.T, address string, previous *current.Result) []byte {
	t.Helper()
	config := map[string]any{
		"cniVersion": "1.1.0", "name": "test", "type": pluginName, "mode": "host", "nodeAddress": address,
	}
	if previous != nil {
		config["prevResult"] = previous
	}
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// TestHostNetworkModeGivesTheNodesAddress calls the plugins for the namespace that they run
// in themselves, as containerd does in host-network mode.
func TestHostNetworkModeGivesTheNodesAddress(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		const own = "/proc/self/ns/net"
		t.Setenv(sameNamespaceVariable, "1")
		lo, err := node.LinkByName(loopback)
		if err != nil {
			t.Fatal(err)
		}
		if err := node.LinkSetUp(lo); err != nil {
			t.Fatal(err)
		}
		before := linkNames(t, node.Handle)
		for _, id := range []string{"one", "two"} {
			if output, err := run(loopbackName, "ADD", id, own, []byte(`{"cniVersion":"0.3.1","name":"lo","type":"loopback"}`)); err != nil {
				t.Fatalf("loopback: %s, %v", output, err)
			}
			output, err := run(pluginName, "ADD", id, own, sharedConfig(t, "192.0.2.7", nil))
			if err != nil {
				t.Fatalf("ADD: %s, %v", output, err)
			}
			var result current.Result
			if err := json.Unmarshal([]byte(output), &result); err != nil || result.IPs[0].Address.String() != "192.0.2.7/32" {
				t.Errorf("result %s, %v", output, err)
			}
			if _, err := run(pluginName, "CHECK", id, own, sharedConfig(t, "192.0.2.7", &result)); err != nil {
				t.Errorf("CHECK: %v", err)
			}
			if output, err := run(pluginName, "CHECK", id, own, sharedConfig(t, "192.0.2.8", &result)); err == nil || !strings.Contains(output, "192.0.2.8") {
				t.Errorf("CHECK after the node's address has changed: %s, %v", output, err)
			}
		}
		for _, command := range []string{"DEL", "DEL", "STATUS"} {
			if output, err := run(pluginName, command, "one", own, sharedConfig(t, "192.0.2.7", nil)); err != nil {
				t.Errorf("%s: %s, %v", command, output, err)
			}
		}
		if after := linkNames(t, node.Handle); after != before {
			t.Errorf("the links are %s, were %s", after, before)
		}
	})
}

func linkNames(t *testing.T, handle *netlink.Handle) string {
	t.Helper()
	links, err := handle.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, link := range links {
		names = append(names, link.Attrs().Name)
	}
	return strings.Join(names, " ")
}
