package cni

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	pluginName   = "sandkube-cni"
	loopbackName = "loopback"
	// insideVariable says that the process is in a network namespace made for the test.
	insideVariable = "CNI_TEST_INSIDE"

	// sameNamespaceVariable lets a pod have the plugin's own namespace.
	sameNamespaceVariable = "CNI_NETNS_OVERRIDE"

	bridgeName     = "sandkube-test"
	nodeAddress    = "10.42.0.1"
	gateway        = "10.42.0.253"
	serviceAddress = "10.42.0.254"
	serviceRange   = "10.43.0.0/16"
)

// TestMain lets the test binary play the plugins when it is started by their names.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case pluginName:
		os.Exit(Main("test"))
	case loopbackName:
		os.Exit(LoopbackMain("test"))
	}
	os.Exit(m.Run())
}

// inNode runs a test in a process with a network namespace of its own, which holds
// what a node has: the bridge with the node's address.
func inNode(t *testing.T, test func(t *testing.T, node *node)) {
	t.Helper()
	if os.Getenv(insideVariable) == "" {
		command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), insideVariable+"=1")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("in a network namespace of its own: %v\n%s", err, output)
		}
		return
	}
	handle, err := nodeLinks()
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = bridgeName
	attributes.MTU = 1400
	if err := handle.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		t.Fatal(err)
	}
	bridge, err := handle.LinkByName(bridgeName)
	if err != nil {
		t.Fatal(err)
	}
	if err := handle.AddrAdd(bridge, &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(nodeAddress).To4(), Mask: net.CIDRMask(24, 32)}}); err != nil {
		t.Fatal(err)
	}
	if err := handle.LinkSetUp(bridge); err != nil {
		t.Fatal(err)
	}
	test(t, &node{Handle: handle, state: t.TempDir(), podRange: "10.42.0.0/24"})
}

type node struct {
	*netlink.Handle
	state    string
	podRange string
}

func (n *node) config(version string, extra map[string]any) []byte {
	config := map[string]any{
		"cniVersion": version, "name": "test", "type": pluginName, "mode": "bridge",
		"bridge": bridgeName, "podRange": n.podRange, "clusterRange": n.podRange, "mtu": 1400, "stateDirectory": n.state,
		"nodeAddress": nodeAddress, "gateway": n.inRange(gateway),
		"serviceRange": serviceRange, "serviceAddress": n.inRange(serviceAddress),
	}
	for key, value := range extra {
		config[key] = value
	}
	// Maps of strings and numbers can always be encoded.
	encoded, _ := json.Marshal(config)
	return encoded
}

// inRange is an address, or the node's own where the pod range is too small for it.
func (n *node) inRange(address string) string {
	if netip.MustParsePrefix(n.podRange).Contains(netip.MustParseAddr(address)) {
		return address
	}
	return nodeAddress
}

// call runs the plugin as a runtime does and returns what it prints.
func (n *node) call(command, container, namespace string, config []byte) (output string, err error) {
	return run(pluginName, command, container, namespace, config)
}

func run(plugin, command, container, namespace string, config []byte) (output string, err error) {
	process := &exec.Cmd{Path: "/proc/self/exe", Args: []string{plugin}, Stdin: bytes.NewReader(config)}
	process.Env = []string{
		"CNI_COMMAND=" + command, "CNI_CONTAINERID=" + container, "CNI_NETNS=" + namespace,
		"CNI_IFNAME=eth0", "CNI_PATH=/nowhere", sameNamespaceVariable + "=" + os.Getenv(sameNamespaceVariable),
	}
	var stdout, stderr strings.Builder
	process.Stdout, process.Stderr = &stdout, &stderr
	if err := process.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s%s", command, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

func (n *node) add(t *testing.T, container string, in *pod) *current.Result {
	t.Helper()
	output, err := n.call("ADD", container, in.path, n.config("1.1.0", nil))
	if err != nil {
		t.Fatal(err)
	}
	var result current.Result
	if err := json.Unmarshal([]byte(output), &result); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	return &result
}

func (n *node) links(t *testing.T) []string {
	t.Helper()
	links, err := n.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, link := range links {
		if name := link.Attrs().Name; name != loopback && name != bridgeName {
			names = append(names, name)
		}
	}
	return names
}

// pod is a network namespace that a thread of this process keeps alive; work is
// done on that thread.
type pod struct {
	path string
	work chan func()
}

func newPod(t *testing.T) *pod {
	t.Helper()
	made := &pod{work: make(chan func())}
	ready := make(chan error)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine.
		runtime.LockOSThread()
		made.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		ready <- unix.Unshare(unix.CLONE_NEWNET)
		for work := range made.work {
			work()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatalf("new network namespace: %v", err)
	}
	t.Cleanup(func() { close(made.work) })
	return made
}

func (p *pod) do(work func() error) error {
	done := make(chan error)
	p.work <- func() { done <- work() }
	return <-done
}

func address(result *current.Result) netip.Addr {
	found, _ := netip.AddrFromSlice(result.IPs[0].Address.IP.To4())
	return found
}
