package gateway

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

const (
	// insideVariable says that the process is where the node's links may be made.
	insideVariable = "GATEWAY_TEST_INSIDE"
	// roleVariable makes the test binary play a pod or a gateway.
	roleVariable = "GATEWAY_TEST_ROLE"

	bridgeName  = "gwtest0"
	outsideName = "gwtest1"
	linkName    = "gwtest2"
)

var (
	nodeAddress    = netip.MustParsePrefix("10.99.0.1/24")
	gatewayAddress = netip.MustParsePrefix("10.99.0.253/24")
	podAddress     = netip.MustParsePrefix("10.99.0.2/24")
	// outside is an address of the node that is not in the pods' range.
	outside = netip.MustParsePrefix("192.0.2.1/24")
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "pod":
		exit(podMain())
	case "gateway":
		exit(gatewayMain())
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// inNode runs a test in a network namespace of its own, with a pod bridge and a bridge
// that has the outside address.
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
		t.Logf("%s", output)
		return
	}
	node := &node{mtu: 1500}
	node.make(t)
	test(t, node)
}

type node struct {
	mtu int
}

func (n *node) make(t *testing.T) {
	t.Helper()
	if lo, err := netlink.LinkByName("lo"); err != nil {
		t.Fatal(err)
	} else if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	n.bridge(t, bridgeName, nodeAddress)
	n.bridge(t, outsideName, outside)
}

func (n *node) bridge(t *testing.T, name string, address netip.Prefix) {
	t.Helper()
	if err := removeLink(name); err != nil {
		t.Fatal(err)
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU = name, n.mtu
	attributes.HardwareAddr = hardware(address)
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = removeLink(name) })
	link, err := netlink.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: network(address)}); err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
}

func network(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), 32)}
}

func hardware(prefix netip.Prefix) net.HardwareAddr {
	return append(net.HardwareAddr{0x0a, 0x58}, prefix.Addr().AsSlice()...)
}

// process is the test binary in another role; it answers a line by a line.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Scanner
}

func start(t *testing.T, role string, flags uintptr, environment ...string) *process {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/proc/self/exe")
	command.Env = append(append(os.Environ(), roleVariable+"="+role), environment...)
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	started := &process{command: command, input: input, output: bufio.NewScanner(output)}
	t.Cleanup(started.kill)
	return started
}

func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// end lets the process end by itself.
func (p *process) end() error {
	return errors.Join(p.input.Close(), p.command.Wait())
}

func (p *process) line() (string, error) {
	if !p.output.Scan() {
		return "", errors.Join(p.output.Err(), io.ErrUnexpectedEOF)
	}
	return p.output.Text(), nil
}

// startPod makes a pod with its link on the bridge and its default route by the gateway.
func (n *node) startPod(t *testing.T) *process {
	t.Helper()
	pod := start(t, "pod", syscall.CLONE_NEWNET)
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pod.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer namespace.Close()
	const hostLink = "gwtest3"
	if err := removeLink(hostLink); err != nil {
		t.Fatal(err)
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU = hostLink, n.mtu
	if err := netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: attributes, PeerName: "eth0", PeerTxQLen: -1,
		PeerNamespace: netlink.NsFd(namespace.Fd()), PeerHardwareAddr: hardware(podAddress),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = removeLink(hostLink) })
	if err := plug(hostLink, bridgeName, n.mtu); err != nil {
		t.Fatal(err)
	}
	if result := pod.ask(t, request{Operation: "configure"}); result.Error != "" {
		t.Fatal(result.Error)
	}
	return pod
}

func (p *process) ask(t *testing.T, what request) result {
	t.Helper()
	encoded, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.input.Write(append(encoded, '\n')); err != nil {
		t.Fatal(err)
	}
	line, err := p.line()
	if err != nil {
		t.Fatal(err)
	}
	var answer result
	if err := json.Unmarshal([]byte(line), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
