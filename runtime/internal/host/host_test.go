package host

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/cni"
	"sandkube.dev/runtime/internal/ipam"
	"sandkube.dev/runtime/internal/nodespec"
)

// insideVariable says that the process is in a network namespace made for the test.
const insideVariable = "HOST_TEST_INSIDE"

// inNetworkNamespace runs a test in a process with a fresh network namespace.
func inNetworkNamespace(t *testing.T, test func(t *testing.T, links *netlink.Handle)) {
	t.Helper()
	if os.Getenv(insideVariable) == "" {
		command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), insideVariable+"=1")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("in a network namespace of its own: %v\n%s", err, output)
		}
		return
	}
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer links.Close()
	test(t, links)
}

// newSpec is the spec of a node that mounts its own cgroups.
func newSpec(t *testing.T, data, name, bridge string) *nodespec.NodeSpec {
	t.Helper()
	directory := filepath.Join(data, name)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	return &nodespec.NodeSpec{
		Cluster:      nodespec.Cluster{Name: name, Directory: directory},
		ControlPlane: nodespec.ControlPlane{PodRange: "10.42.0.0/16"},
		Node: &nodespec.NodeSettings{
			Cgroup:  nodespec.Cgroup{MountControllers: []string{"cpu"}},
			Network: nodespec.Network{Mode: nodespec.NetworkBridge, Bridge: bridge, MTU: 1400},
		},
		Nodes: []nodespec.Node{
			{Name: "node-1", Address: "10.42.0.1", PodRange: "10.42.0.0/24", CgroupRoot: "/sandkube/" + name + "/node-1"},
			{Name: "node-2", Address: "10.42.1.1", PodRange: "10.42.1.0/24", CgroupRoot: "/sandkube/" + name + "/node-2"},
		},
	}
}

func setup(t *testing.T, spec *nodespec.NodeSpec) {
	t.Helper()
	if err := Setup(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
}

func restore(t *testing.T, spec *nodespec.NodeSpec) {
	t.Helper()
	if err := Restore(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
}

func isUp(t *testing.T, links *netlink.Handle, name string) bool {
	t.Helper()
	link, err := links.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return link.Attrs().Flags&net.FlagUp != 0
}

func addVeth(t *testing.T, links *netlink.Handle, name, bridge string) {
	t.Helper()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	if err := links.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: "p" + name[1:], PeerTxQLen: -1}); err != nil {
		t.Fatal(err)
	}
	link, err := links.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	master, err := links.LinkByName(bridge)
	if err != nil {
		t.Fatal(err)
	}
	if err := links.LinkSetMaster(link, master); err != nil {
		t.Fatal(err)
	}
}

func TestSetupAndRestoreComeRound(t *testing.T) {
	inNetworkNamespace(t, func(t *testing.T, links *netlink.Handle) {
		loWasUp := isUp(t, links, loopback)
		spec := newSpec(t, t.TempDir(), "default", "sandkube0")
		for range 2 { // The second time finds all of it there.
			setup(t, spec)
		}
		bridge, err := links.LinkByName("sandkube0")
		if err != nil {
			t.Fatal(err)
		}
		addresses, err := links.AddrList(bridge, unix.AF_INET)
		if err != nil || len(addresses) != 2 || addresses[0].IPNet.String() != "10.42.0.1/16" || addresses[1].IPNet.String() != "10.42.1.1/32" {
			t.Errorf("addresses %v, %v", addresses, err)
		}
		if got := bridge.Attrs().HardwareAddr.String(); got != "0a:58:0a:2a:00:01" {
			t.Errorf("hardware address %s", got)
		}
		// gVisor reports the MTU of a bridge without its 14 bytes of header.
		if mtu := bridge.Attrs().MTU; mtu != 1400 && mtu != 1400-14 {
			t.Errorf("MTU %d", mtu)
		}
		if !isUp(t, links, "sandkube0") || !isUp(t, links, loopback) {
			t.Error("the bridge or lo is down")
		}

		// A pod that was never taken down: its link is known by the lease.
		owner := ipam.Owner{ContainerID: "c", Interface: "eth0"}
		second := spec.Views()[1]
		store, err := ipam.Open(second.LeaseDirectory(), netip.MustParsePrefix(second.Self.PodRange))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Acquire(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
		addVeth(t, links, cni.HostLink(owner), "sandkube0")

		for range 2 { // The second time there is nothing to do.
			restore(t, spec)
		}
		for _, name := range []string{"sandkube0", cni.HostLink(owner)} {
			if _, err := links.LinkByName(name); !cni.IsMissing(err) {
				t.Errorf("%s is left: %v", name, err)
			}
		}
		if isUp(t, links, loopback) != loWasUp {
			t.Error("lo is not as it was")
		}
		if _, err := os.Stat(spec.HostRecord()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the record is left: %v", err)
		}
	})
}

func TestAForeignBridgeIsNotTouched(t *testing.T) {
	inNetworkNamespace(t, func(t *testing.T, links *netlink.Handle) {
		attributes := netlink.NewLinkAttrs()
		attributes.Name = "sandkube0"
		if err := links.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
			t.Fatal(err)
		}
		spec := newSpec(t, t.TempDir(), "default", "sandkube0")
		if err := Setup(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "a link named sandkube0") {
			t.Fatalf("error %v, want one that names the clash", err)
		}
		restore(t, spec)
		if _, err := links.LinkByName("sandkube0"); err != nil {
			t.Errorf("the foreign bridge: %v", err)
		}
	})
}

func TestSetupGoesOnWhereAKilledOneStopped(t *testing.T) {
	inNetworkNamespace(t, func(t *testing.T, links *netlink.Handle) {
		spec := newSpec(t, t.TempDir(), "default", "sandkube0")
		journal, err := openJournal(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		// On record, but not made yet.
		if err := journal.note(change{Kind: bridgeMade, Target: "sandkube0"}); err != nil {
			t.Fatal(err)
		}
		if err := journal.close(); err != nil {
			t.Fatal(err)
		}
		restore(t, spec)
		setup(t, spec)
		link, err := links.LinkByName("sandkube0")
		if err != nil {
			t.Fatal(err)
		}
		// Made, but not set up: as after a kill right after the making.
		if err := links.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		attributes := netlink.NewLinkAttrs()
		attributes.Name = "sandkube0"
		if err := links.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
			t.Fatal(err)
		}
		setup(t, spec)
		if !isUp(t, links, "sandkube0") {
			t.Error("the bridge is down")
		}
	})
}

func TestClustersShareLoUntilTheLastOne(t *testing.T) {
	inNetworkNamespace(t, func(t *testing.T, links *netlink.Handle) {
		loWasUp := isUp(t, links, loopback)
		data := t.TempDir()
		first, second := newSpec(t, data, "first", "sandkube0"), newSpec(t, data, "second", "sandkube1")
		setup(t, first)
		clash := newSpec(t, data, "third", "sandkube0")
		if err := Setup(t.Context(), clash); err == nil || !strings.Contains(err.Error(), `belongs to cluster "first"`) {
			t.Errorf("error %v, want one that names the other cluster", err)
		}
		restore(t, clash)
		setup(t, second)
		restore(t, first)
		if !isUp(t, links, loopback) || !isUp(t, links, "sandkube1") {
			t.Error("the first cluster has taken away what the second needs")
		}
		restore(t, second)
		if isUp(t, links, loopback) != loWasUp {
			t.Error("lo is not as it was")
		}
	})
}

func TestAClusterWithoutANodeNeedsOnlyLo(t *testing.T) {
	inNetworkNamespace(t, func(t *testing.T, links *netlink.Handle) {
		spec := newSpec(t, t.TempDir(), "default", "sandkube0")
		spec.Node, spec.Nodes = nil, nil
		setup(t, spec)
		if !isUp(t, links, loopback) {
			t.Error("lo is down")
		}
		if _, err := links.LinkByName("sandkube0"); !cni.IsMissing(err) {
			t.Errorf("there is a bridge without a node: %v", err)
		}
		restore(t, spec)
	})
}

func TestHostNetworkModeNeedsOnlyLo(t *testing.T) {
	inNetworkNamespace(t, func(t *testing.T, links *netlink.Handle) {
		spec := newSpec(t, t.TempDir(), "default", "")
		spec.Node.Network = nodespec.Network{Mode: nodespec.NetworkHost}
		setup(t, spec)
		if !isUp(t, links, loopback) {
			t.Error("lo is down")
		}
		all, err := links.LinkList()
		if err != nil || len(all) != 1 {
			t.Errorf("links %v, %v, want lo alone", all, err)
		}
		restore(t, spec)
	})
}
