package cni

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/vishvananda/netlink"

	"sandkube.dev/runtime/internal/ipam"
)

func TestAddGivesTheResultOfTheSpecification(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		pod := newPod(t)
		result := node.add(t, "c", pod)
		if result.CNIVersion != "1.1.0" || len(result.Interfaces) != 2 || len(result.IPs) != 1 || len(result.Routes) != 2 {
			t.Fatalf("result %+v", result)
		}
		host, inside, ip := result.Interfaces[0], result.Interfaces[1], result.IPs[0]
		if host.Name != HostLink(ipam.Owner{ContainerID: "c", Interface: "eth0"}) || host.Sandbox != "" {
			t.Errorf("interface of the node %+v", host)
		}
		if inside.Name != "eth0" || inside.Sandbox != pod.path || inside.Mac != "0a:58:0a:2a:00:02" {
			t.Errorf("interface of the pod %+v", inside)
		}
		if ip.Address.String() != "10.42.0.2/24" || ip.Gateway.String() != gateway || *ip.Interface != 1 {
			t.Errorf("address %+v", ip)
		}
		for i, want := range [][2]string{{serviceRange, serviceAddress}, {"0.0.0.0/0", gateway}} {
			if route := result.Routes[i]; route.Dst.String() != want[0] || route.GW.String() != want[1] {
				t.Errorf("route %+v, want %v", route, want)
			}
		}
	})
}

func TestOlderVersionsOfTheSpecification(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		for _, version := range []string{"0.4.0", "1.0.0"} {
			output, err := node.call("ADD", "c"+version, newPod(t).path, node.config(version, nil))
			if err != nil || !strings.Contains(output, `"cniVersion": "`+version+`"`) {
				t.Errorf("%s: %s, %v", version, output, err)
			}
		}
		output, err := node.call("ADD", "c", newPod(t).path, node.config("0.1.0", nil))
		if err == nil {
			t.Errorf("0.1.0 is accepted: %s", output)
		}
		output, err = run(pluginName, "VERSION", "", "", nil)
		if err != nil || !strings.Contains(output, `"supportedVersions":["0.4.0","1.0.0","1.1.0"]`) {
			t.Errorf("VERSION: %s, %v", output, err)
		}
	})
}

func TestDelCanBeRepeatedAndNeedsNoNamespace(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		pod := newPod(t)
		node.add(t, "c", pod)
		for _, namespace := range []string{"/proc/1/ns/absent", "", pod.path} {
			if _, err := node.call("DEL", "c", namespace, node.config("1.1.0", nil)); err != nil {
				t.Errorf("namespace %q: %v", namespace, err)
			}
			if links := node.links(t); len(links) > 0 {
				t.Errorf("links are left: %v", links)
			}
		}
		if leases := leaseFiles(t, node); len(leases) > 0 {
			t.Errorf("leases are left: %v", leases)
		}
		// The pod's end went with the node's, so the pod can be attached again.
		node.add(t, "c", pod)
	})
}

func TestAddAfterAnAddThatWasKilled(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		for name, leave := range map[string]func(t *testing.T, stale attachment, pod *pod){
			"after the pair was made": func(t *testing.T, stale attachment, pod *pod) {
				namespace, err := openNamespace(pod.path)
				if err != nil {
					t.Fatal(err)
				}
				defer namespace.close()
				attributes := netlink.NewLinkAttrs()
				attributes.Name = stale.hostLink
				pair := &netlink.Veth{LinkAttrs: attributes, PeerName: "eth0", PeerNamespace: netlink.NsFd(namespace.descriptor), PeerTxQLen: -1}
				if err := node.LinkAdd(pair); err != nil {
					t.Fatal(err)
				}
			},
			"at the end": func(t *testing.T, stale attachment, pod *pod) {
				node.add(t, stale.owner.ContainerID, pod)
			},
		} {
			// Made for the whole test: a pod's links go with it.
			pod := newPod(t)
			t.Run(name, func(t *testing.T) {
				stale := newAttachment(ipam.Owner{ContainerID: strings.ReplaceAll(name, " ", "-"), Interface: "eth0"})
				leave(t, stale, pod)
				used := address(node.add(t, stale.owner.ContainerID, pod))
				if err := greet(used, pod.serve(t)); err != nil {
					t.Error(err)
				}
			})
		}
		if links, leases := node.links(t), leaseFiles(t, node); len(links) != 2 || len(leases) != 2 {
			t.Errorf("links %v and leases %v, want 2 of each", links, leases)
		}
	})
}

func TestFailedAddLeavesNothing(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		pod := newPod(t)
		node.add(t, "first", pod)
		// The pod has an eth0 already.
		if output, err := node.call("ADD", "second", pod.path, node.config("1.1.0", nil)); err == nil {
			t.Fatalf("two interfaces of one name: %s", output)
		}
		if output, err := node.call("ADD", "third", "/proc/1/ns/absent", node.config("1.1.0", nil)); err == nil {
			t.Fatalf("a namespace that is not there: %s", output)
		}
		if output, err := node.call("ADD", "fourth", newPod(t).path, node.config("1.1.0", map[string]any{"bridge": "absent0"})); err == nil || !strings.Contains(output, "absent0") {
			t.Fatalf("a bridge that is not there: %s", output)
		}
		if links, leases := node.links(t), leaseFiles(t, node); len(links) != 1 || len(leases) != 1 {
			t.Errorf("links %v and leases %v, want those of the first", links, leases)
		}
	})
}

func TestExhaustionIsReported(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		node.podRange = "10.42.0.0/30"
		node.add(t, "first", newPod(t))
		output, err := node.call("ADD", "second", newPod(t).path, node.config("1.1.0", nil))
		if err == nil || !strings.Contains(output, "no free address in the pod range 10.42.0.0/30: all 1 are in use") {
			t.Errorf("%s, %v", output, err)
		}
	})
}

func TestStatus(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		if output, err := node.call("STATUS", "", "", node.config("1.1.0", nil)); err != nil {
			t.Errorf("%s, %v", output, err)
		}
		output, err := node.call("STATUS", "", "", node.config("1.1.0", map[string]any{"bridge": "absent0"}))
		var failure types.Error
		if err == nil || json.Unmarshal([]byte(output), &failure) != nil || failure.Code != errNotAvailable {
			t.Errorf("without the bridge: %s, %v", output, err)
		}
	})
}

func TestConfigurationIsValidated(t *testing.T) {
	valid := `{"mode":"bridge","bridge":"b","podRange":"10.42.0.0/24","clusterRange":"10.42.0.0/16","nodeAddress":"10.42.0.1","gateway":"10.42.0.253",` +
		`"serviceRange":"10.43.0.0/16","serviceAddress":"10.42.0.254","mtu":1500,"stateDirectory":"/s"}`
	if _, err := parseConfig([]byte(valid)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`{`, `not JSON`},
		{`"bridge":"b",`, ``},
		{`"mode":"bridge",`, ``},
		{`"mode":"bridge"`, `"mode":"overlay"`},
		{`10.42.0.0/24`, `fd00::/64`},
		{`"clusterRange":"10.42.0.0/16",`, ``},
		{`10.42.0.0/16`, `10.43.0.0/16`},
		{`10.42.0.0/16`, `10.42.0.0/25`},
		{`"nodeAddress":"10.42.0.1"`, `"nodeAddress":"10.43.0.1"`},
		{`"gateway":"10.42.0.253"`, `"gateway":"10.43.0.253"`},
		{`"serviceAddress":"10.42.0.254",`, ``},
		{`10.43.0.0/16`, `fd01::/112`},
		{`"/s"`, `"relative"`},
		{`1500`, `-1`},
	} {
		config := strings.Replace(valid, change[0], change[1], 1)
		if _, err := parseConfig([]byte(config)); err == nil {
			t.Errorf("%s is accepted", config)
		}
	}
}

func TestLoopback(t *testing.T) {
	inNode(t, func(t *testing.T, _ *node) {
		pod := newPod(t)
		// containerd's own configuration of it is of this version.
		if _, err := run(loopbackName, "ADD", "c", pod.path, []byte(`{"cniVersion":"0.3.1","name":"lo","type":"loopback"}`)); err != nil {
			t.Fatal(err)
		}
		config := []byte(`{"cniVersion":"1.1.0","name":"lo","type":"loopback"}`)
		output, err := run(loopbackName, "ADD", "c", pod.path, config)
		if err != nil {
			t.Fatal(err)
		}
		var result current.Result
		if err := json.Unmarshal([]byte(output), &result); err != nil || result.IPs[0].Address.String() != "127.0.0.1/8" {
			t.Errorf("result %s, %v", output, err)
		}
		for _, command := range []string{"CHECK", "DEL"} {
			if _, err := run(loopbackName, command, "c", pod.path, config); err != nil {
				t.Error(err)
			}
		}
	})
}

func leaseFiles(t *testing.T, node *node) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(node.state, "leases"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
