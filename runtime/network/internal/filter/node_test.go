package filter

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// insideVariable says that the process is in namespaces made for the test.
	insideVariable = "FILTER_TEST_INSIDE"
	// victimVariable makes the process a filter that waits to be killed.
	victimVariable     = "FILTER_TEST_VICTIM"
	namespacesVariable = "FILTER_TEST_NAMESPACES"

	bridgeName = "sandkube-test"
	// port echoes, sinkPort discards.
	port     = 8080
	sinkPort = 8081
	// silence is how long a test waits for what must not arrive.
	silence = 500 * time.Millisecond
	// patience is how long it waits for what must.
	patience = 10 * time.Second
)

// mtu is in bytes; the figures depend on it.
var mtu = mtuFromEnvironment()

func mtuFromEnvironment() int {
	if given, err := strconv.Atoi(os.Getenv("FILTER_TEST_MTU")); err == nil {
		return given
	}
	return 1400
}

var nodeAddress = netip.MustParseAddr("10.42.0.1")

// TestMain lets the test binary play a filter that is killed.
func TestMain(m *testing.M) {
	if directory := os.Getenv(victimVariable); directory != "" {
		os.Exit(victim(directory))
	}
	os.Exit(m.Run())
}

// node is a pod bridge with some pods.
type node struct {
	links      *netlink.Handle
	directory  string
	namespaces string
	pods       []*pod
}

// inNode runs a test in a process with namespaces of its own, which hold what a node
// has: the bridge with the node's address, and pods.
func inNode(t *testing.T, pods int, test func(t *testing.T, node *node)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("namespaces need root")
	}
	if os.Getenv(insideVariable) == "" {
		command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
		command.Env = append(os.Environ(), insideVariable+"=1")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("in namespaces of its own: %v\n%s", err, output)
		}
		t.Logf("%s", output)
		return
	}
	made := newNode(t)
	for i := range pods {
		made.pods = append(made.pods, made.addPod(t, i))
	}
	test(t, made)
}

func newNode(t *testing.T) *node {
	t.Helper()
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU = bridgeName, mtu
	attributes.HardwareAddr = hardwareAddress(nodeAddress)
	must(t, links.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}))
	bridge, err := links.LinkByName(bridgeName)
	must(t, err)
	must(t, links.AddrAdd(bridge, network(nodeAddress)))
	must(t, links.LinkSetUp(bridge))
	// gVisor has no propagation to be kept from.
	_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	return &node{links: links, directory: t.TempDir(), namespaces: t.TempDir()}
}

func network(address netip.Addr) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(24, 32)}}
}

func hardwareAddress(address netip.Addr) net.HardwareAddr {
	return append(net.HardwareAddr{0x0a, 0x58}, address.AsSlice()...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n *node) open(t *testing.T) *Filter {
	t.Helper()
	opened, err := Open(n.filterConfig())
	must(t, err)
	return opened
}

func (n *node) filterConfig() Config {
	return Config{
		Bridge: bridgeName, MTU: mtu, Directory: n.directory, Namespaces: func() ([]string, error) { return []string{n.namespaces}, nil },
		Leases: func(context.Context) (map[netip.Addr]string, error) {
			leases := map[netip.Addr]string{}
			for _, pod := range n.pods {
				leases[pod.address] = pod.link
			}
			return leases, nil
		},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// linkNames are all links but the loopback.
func (n *node) linkNames(t *testing.T) map[string]bool {
	t.Helper()
	links, err := n.links.LinkList()
	must(t, err)
	names := map[string]bool{}
	for _, link := range links {
		if name := link.Attrs().Name; name != "lo" {
			names[filepath.Base(name)] = true
		}
	}
	return names
}
