package cni

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/types"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/ipam"
)

func TestCheck(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		breakages := map[string]func(inside *podNamespace, eth0 netlink.Link, owner ipam.Owner) error{
			"nothing": nil,
			"link":    func(inside *podNamespace, eth0 netlink.Link, _ ipam.Owner) error { return inside.LinkDel(eth0) },
			"name": func(inside *podNamespace, eth0 netlink.Link, _ ipam.Owner) error {
				if err := inside.LinkSetDown(eth0); err != nil {
					return err
				}
				return inside.LinkSetName(eth0, "other0")
			},
			"address": func(inside *podNamespace, eth0 netlink.Link, _ ipam.Owner) error {
				addresses, err := inside.AddrList(eth0, netlink.FAMILY_V4)
				if err != nil {
					return err
				}
				// gVisor refuses a request to delete that has a broadcast address in it.
				return inside.AddrDel(eth0, &netlink.Addr{IPNet: addresses[0].IPNet, Broadcast: net.IPv4zero})
			},
			"route": func(inside *podNamespace, eth0 netlink.Link, _ ipam.Owner) error {
				return inside.RouteDel(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: net.ParseIP(gateway).To4()})
			},
			"lease": func(_ *podNamespace, _ netlink.Link, owner ipam.Owner) error {
				return os.Remove(filepath.Join(node.state, "leases", leaseOf(t, node, owner)))
			},
		}
		for name, damage := range breakages {
			t.Run(name, func(t *testing.T) {
				pod := newPod(t)
				owner := ipam.Owner{ContainerID: "check-" + name, Interface: "eth0"}
				result := node.add(t, owner.ContainerID, pod)
				config := node.config("1.1.0", map[string]any{"prevResult": result})
				if damage == nil {
					if output, err := node.call("CHECK", owner.ContainerID, pod.path, config); err != nil {
						t.Errorf("%s, %v", output, err)
					}
					return
				}
				inside, err := openNamespace(pod.path)
				if err != nil {
					t.Fatal(err)
				}
				defer inside.close()
				eth0, err := inside.LinkByName("eth0")
				if err != nil {
					t.Fatal(err)
				}
				if err := damage(inside, eth0, owner); errors.Is(err, unix.EOPNOTSUPP) {
					t.Skipf("the kernel can not remove it (gVisor of 2024-07 has no RTM_DELROUTE): %v", err)
				} else if err != nil {
					t.Fatal(err)
				}
				if output, err := node.call("CHECK", owner.ContainerID, pod.path, config); err == nil {
					t.Errorf("nothing is missed: %s", output)
				}
			})
		}
	})
}

func TestGarbageCollection(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		for _, container := range []string{"kept", "gone", "gone-too"} {
			node.add(t, container, newPod(t))
		}
		config := node.config("1.1.0", map[string]any{
			"cni.dev/valid-attachments": []types.GCAttachment{{ContainerID: "kept", IfName: "eth0"}},
		})
		if _, err := node.call("GC", "", "", config); err != nil {
			t.Fatal(err)
		}
		want := []string{HostLink(ipam.Owner{ContainerID: "kept", Interface: "eth0"})}
		if links := node.links(t); !slices.Equal(links, want) {
			t.Errorf("links %v, want %v", links, want)
		}
		if leases := leaseFiles(t, node); !slices.Equal(leases, []string{"10.42.0.2"}) {
			t.Errorf("leases %v, want 10.42.0.2", leases)
		}
	})
}

func leaseOf(t *testing.T, node *node, owner ipam.Owner) string {
	t.Helper()
	for _, name := range leaseFiles(t, node) {
		content, err := os.ReadFile(filepath.Join(node.state, "leases", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), `"`+owner.ContainerID+`"`) {
			return name
		}
	}
	t.Fatalf("no lease of %+v", owner)
	return ""
}
