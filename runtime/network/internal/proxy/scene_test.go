package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/servicenamespace"
	"sandkube.dev/runtime/network/internal/services"
)

const (
	// insideVariable says that the process is in a network namespace made for the test.
	insideVariable = "PROXY_TEST_INSIDE"
	// standaloneVariable lets the test binary be a proxy of its own; see runStandalone.
	standaloneVariable = "PROXY_TEST_STANDALONE"

	bridgeName = "sandkube-test"
	mtuBytes   = 65_520
)

var (
	nodeAddress    = netip.MustParseAddr("10.42.0.1")
	serviceAddress = netip.MustParsePrefix("10.42.0.254/24")
	serviceRange   = netip.MustParsePrefix("10.43.0.0/16")
	frontendTCP    = services.Frontend{Protocol: v1.ProtocolTCP, Address: netip.MustParseAddrPort("10.43.0.10:80")}
	frontendUDP    = services.Frontend{Protocol: v1.ProtocolUDP, Address: netip.MustParseAddrPort("10.43.0.10:53")}
)

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(standaloneVariable); endpoint != "" {
		if err := runStandalone(netip.MustParseAddrPort(endpoint)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// node is the sandbox's side of a pod network.
type node struct {
	links  *netlink.Handle
	bridge netlink.Link
	pods   int
}

// inNode runs a test in a process with a network namespace of its own, with a bridge.
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
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	check(t, err)
	defer handle.Close()
	local, err := handle.LinkByName("lo")
	check(t, err)
	check(t, handle.LinkSetUp(local))
	attributes := netlink.NewLinkAttrs()
	attributes.Name = bridgeName
	attributes.MTU = mtuBytes
	check(t, handle.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}))
	bridge, err := handle.LinkByName(bridgeName)
	check(t, err)
	check(t, handle.AddrAdd(bridge, &netlink.Addr{IPNet: network(netip.PrefixFrom(nodeAddress, 24))}))
	check(t, handle.LinkSetUp(bridge))
	test(t, &node{links: handle, bridge: bridge})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func network(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), 32)}
}

// pod is a network namespace that a thread of this process keeps alive.
type pod struct {
	address netip.Addr
	work    chan func()
}

// addPod makes a pod on the bridge that routes the Service range as real ones do.
func (n *node) addPod(t *testing.T) *pod {
	t.Helper()
	n.pods++
	made := &pod{address: netip.AddrFrom4([4]byte{10, 42, 0, byte(1 + n.pods)}), work: make(chan func())}
	descriptors := make(chan int)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			descriptors <- -1
			return
		}
		descriptor, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			descriptor = -1
		}
		descriptors <- descriptor
		for work := range made.work {
			work()
		}
	}()
	descriptor := <-descriptors
	if descriptor < 0 {
		t.Fatal("no network namespace can be made")
	}
	defer unix.Close(descriptor)
	t.Cleanup(func() { close(made.work) })
	attributes := netlink.NewLinkAttrs()
	attributes.Name = fmt.Sprint("pod", n.pods)
	attributes.MTU = mtuBytes
	check(t, n.links.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: "eth0", PeerNamespace: netlink.NsFd(descriptor)}))
	outer, err := n.links.LinkByName(attributes.Name)
	check(t, err)
	check(t, n.links.LinkSetMaster(outer, n.bridge))
	check(t, n.links.LinkSetUp(outer))
	check(t, made.do(func() error { return configurePod(made.address) }))
	return made
}

func configurePod(address netip.Addr) error {
	inner, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	return errors.Join(
		netlink.AddrAdd(inner, &netlink.Addr{IPNet: network(netip.PrefixFrom(address, 24))}),
		netlink.LinkSetUp(inner),
		netlink.RouteAdd(&netlink.Route{LinkIndex: inner.Attrs().Index, Dst: network(serviceRange), Gw: serviceAddress.Addr().AsSlice()}),
	)
}

func (p *pod) do(work func() error) error {
	done := make(chan error, 1)
	p.work <- func() { done <- work() }
	return <-done
}

func openNamespace() (*servicenamespace.Namespace, error) {
	return servicenamespace.Open(servicenamespace.Config{
		Bridge: bridgeName, Link: "sandkube-svc", ServiceAddress: serviceAddress, ServiceRange: serviceRange,
		NodeAddress: nodeAddress, MTU: mtuBytes,
	})
}

// startProxy runs the real thing: the namespace, the balancer, the proxy.
func startProxy(t *testing.T) *Proxy {
	t.Helper()
	namespace, err := openNamespace()
	check(t, err)
	made := New(Config{Namespace: namespace, Balancer: services.NewBalancer(), Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := errors.Join(made.Close(), namespace.Close()); err != nil {
			t.Error(err)
		}
	})
	return made
}

// snapshot has one Service with both frontends and the endpoints of each.
func snapshot(tcp, udp []netip.AddrPort) *services.Snapshot {
	return &services.Snapshot{Cluster: map[services.Frontend]*services.Port{
		frontendTCP: portWith(v1.ProtocolTCP, tcp),
		frontendUDP: portWith(v1.ProtocolUDP, udp),
	}}
}

func portWith(protocol v1.Protocol, addresses []netip.AddrPort) *services.Port {
	port := &services.Port{Name: services.PortName{Protocol: protocol}}
	for _, address := range addresses {
		port.Internal = append(port.Internal, services.Endpoint{Address: address})
	}
	return port
}

// runStandalone serves the TCP frontend until it is killed.
func runStandalone(endpoint netip.AddrPort) error {
	namespace, err := openNamespace()
	if err != nil {
		return err
	}
	served := New(Config{Namespace: namespace, Balancer: services.NewBalancer(), Logger: slog.New(slog.DiscardHandler)})
	if err := served.Apply(snapshot([]netip.AddrPort{endpoint}, nil)); err != nil {
		return err
	}
	fmt.Println("ready")
	select {}
}
