package exposure

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/services"
)

const (
	// insideVariable says that the process is in a network namespace made for the test.
	insideVariable = "EXPOSURE_TEST_INSIDE"
	// limit is far above what anything inside one machine takes.
	limit = time.Minute
)

var (
	nodePort = services.NodeFrontend{Protocol: v1.ProtocolTCP, Port: 30080}
	podA     = v1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "a"}
	podB     = v1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "b"}
)

// inside runs a test in a process with a network namespace of its own.
func inside(t *testing.T, test func(t *testing.T)) {
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
	link, err := netlink.LinkByName("lo")
	check(t, err)
	check(t, netlink.LinkSetUp(link))
	test(t)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type reported struct {
	owner   v1.ObjectReference
	message string
}

// start returns an Exposure whose reports arrive at the channel.
func start(t *testing.T, external func(netip.Addr) bool) (*Exposure, chan reported) {
	t.Helper()
	origin := func(client forward.Client) services.Origin {
		return services.Origin{External: external != nil && external(client.Address)}
	}
	reports := make(chan reported, 100)
	made := New(Config{
		Balancer: services.NewBalancer(), Origin: origin, NodeAt: nodeAt, Logger: slog.New(slog.DiscardHandler),
		Report: func(owner v1.ObjectReference, message string) { reports <- reported{owner, message} },
	})
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made, reports
}

// nodeAt has two nodes in the range of the loopback address.
func nodeAt(address netip.Addr) string {
	return map[string]string{"127.0.0.11": "node-1", "127.0.0.12": "node-2"}[address.String()]
}

func TestHostPortIsEachNodesOwn(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := start(t, nil)
		at := netip.MustParseAddrPort("0.0.0.0:8080")
		check(t, exposure.Apply(Wanted{HostPorts: []HostPort{
			{Pod: podA, Protocol: v1.ProtocolTCP, At: at, Target: serve(t, "first").Address, Node: "node-1"},
			{Pod: podB, Protocol: v1.ProtocolTCP, At: at, Target: serve(t, "second").Address, Node: "node-2"},
		}}))
		for address, want := range map[string][]string{
			"127.0.0.11:8080": {"first"}, "127.0.0.12:8080": {"second"}, "127.0.0.1:8080": {"first", "second"},
		} {
			for range 10 {
				if answer, err := greeted(address); err != nil || !slices.Contains(want, answer) {
					t.Errorf("at %s: %q, %v, want one of %q", address, answer, err, want)
				}
			}
		}
		select {
		case report := <-reports:
			t.Errorf("reported: %+v", report)
		default:
		}
	})
}

// serve greets each client of a new TCP port.
func serve(t *testing.T, greeting string) services.Endpoint {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(connection, greeting)
			_ = connection.Close()
		}
	}()
	return services.Endpoint{Address: listener.Addr().(*net.TCPAddr).AddrPort()}
}

func greeted(address string) (string, error) {
	connection, err := net.DialTimeout("tcp4", address, limit)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	check := connection.SetDeadline(time.Now().Add(limit))
	answer, err := io.ReadAll(connection)
	return string(answer), errors.Join(check, err)
}

func TestNodePortServesByWhereClientsComeFrom(t *testing.T) {
	inside(t, func(t *testing.T) {
		all := []services.Endpoint{serve(t, "internal")}
		here := []services.Endpoint{serve(t, "external")}
		outside := netip.MustParseAddr("127.0.0.9")
		exposure, _ := start(t, func(client netip.Addr) bool { return client == outside })
		port := &services.Port{Name: services.PortName{Protocol: v1.ProtocolTCP}, Internal: all, External: here}
		check(t, exposure.Apply(Wanted{Node: map[services.NodeFrontend]*services.Port{nodePort: port}}))
		if answer, err := greeted("127.0.0.1:30080"); err != nil || answer != "internal" {
			t.Errorf("a client of the cluster: %q, %v", answer, err)
		}
		dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(outside, 0))}
		connection, err := dialer.Dial("tcp4", "127.0.0.1:30080")
		check(t, err)
		defer connection.Close()
		if answer, err := io.ReadAll(connection); err != nil || string(answer) != "external" {
			t.Errorf("a client from outside: %q, %v", answer, err)
		}
	})
}

func TestNodePortWithoutExternalEndpointsRefuses(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := start(t, func(netip.Addr) bool { return false })
		port := &services.Port{Name: services.PortName{Protocol: v1.ProtocolTCP}, Internal: []services.Endpoint{serve(t, "internal")}}
		check(t, exposure.Apply(Wanted{Node: map[services.NodeFrontend]*services.Port{nodePort: port}}))
		if _, err := greeted("127.0.0.1:30080"); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("%v, want a refusal", err)
		}
		if len(reports) > 0 {
			t.Errorf("reported: %v", <-reports)
		}
	})
}

func TestTakenPortIsReportedOnceAndHadLater(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := start(t, func(netip.Addr) bool { return false })
		other, err := net.Listen("tcp4", "0.0.0.0:8080")
		check(t, err)
		hostPorts := []HostPort{{
			Pod: podA, Protocol: v1.ProtocolTCP,
			At: netip.MustParseAddrPort("0.0.0.0:8080"), Target: serve(t, "pod").Address,
		}}
		check(t, exposure.Apply(Wanted{HostPorts: hostPorts}))
		want := reported{podA, "TCP port 8080 of the sandbox can not be had: another program of the sandbox has it"}
		if got := <-reports; got != want {
			t.Errorf("reported %v, want %v", got, want)
		}
		check(t, other.Close())
		check(t, exposure.Apply(Wanted{HostPorts: hostPorts}))
		if answer, err := greeted("127.0.0.1:8080"); err != nil || answer != "pod" {
			t.Errorf("%q, %v", answer, err)
		}
		if len(reports) > 0 {
			t.Errorf("reported again: %v", <-reports)
		}
	})
}

func TestTakenPortIsTriedAgainByItself(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := start(t, func(netip.Addr) bool { return false })
		other, err := net.Listen("tcp4", "0.0.0.0:8080")
		check(t, err)
		check(t, exposure.Apply(Wanted{HostPorts: []HostPort{{
			Pod: podA, Protocol: v1.ProtocolTCP,
			At: netip.MustParseAddrPort("0.0.0.0:8080"), Target: serve(t, "pod").Address,
		}}}))
		<-reports
		check(t, other.Close())
		for deadline := time.Now().Add(limit); ; {
			answer, err := greeted("127.0.0.1:8080")
			if err == nil && answer == "pod" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q, %v", answer, err)
			}
		}
	})
}

func TestServiceComesBeforeAHostPort(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := start(t, func(netip.Addr) bool { return false })
		endpoints := []services.Endpoint{serve(t, "service")}
		port := &services.Port{Name: services.PortName{Protocol: v1.ProtocolTCP}, Internal: endpoints, External: endpoints}
		port.Name.Service.Namespace, port.Name.Service.Name = "default", "web"
		check(t, exposure.Apply(Wanted{Node: map[services.NodeFrontend]*services.Port{nodePort: port}, HostPorts: []HostPort{{
			Pod: podA, Protocol: v1.ProtocolTCP,
			At: netip.MustParseAddrPort("0.0.0.0:30080"), Target: serve(t, "pod").Address,
		}}}))
		want := reported{podA, "TCP port 30080 of the sandbox can not be had: Service default/web has it"}
		if got := <-reports; got != want {
			t.Errorf("reported %v, want %v", got, want)
		}
		if answer, err := greeted("127.0.0.1:30080"); err != nil || answer != "service" {
			t.Errorf("%q, %v", answer, err)
		}
	})
}

// TestUDPRepliesLeaveFromWhereTheClientSent uses an address that replies would not
// leave from by themselves: the client's connected socket would not take them.
func TestUDPRepliesLeaveFromWhereTheClientSent(t *testing.T) {
	inside(t, func(t *testing.T) {
		server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		check(t, err)
		defer server.Close()
		go func() {
			buffer := make([]byte, 100)
			for {
				count, client, err := server.ReadFromUDPAddrPort(buffer)
				if err != nil {
					return
				}
				_, _ = server.WriteToUDPAddrPort(buffer[:count], client)
			}
		}()
		exposure, _ := start(t, func(netip.Addr) bool { return false })
		check(t, exposure.Apply(Wanted{HostPorts: []HostPort{{
			Pod: podA, Protocol: v1.ProtocolUDP,
			At: netip.MustParseAddrPort("0.0.0.0:5353"), Target: server.LocalAddr().(*net.UDPAddr).AddrPort(),
		}}}))
		for _, address := range []string{"127.0.0.1:5353", "127.0.0.2:5353"} {
			client, err := net.Dial("udp4", address)
			check(t, err)
			defer client.Close()
			check(t, client.SetDeadline(time.Now().Add(limit)))
			_, err = client.Write([]byte("hello"))
			check(t, err)
			answer := make([]byte, 100)
			if count, err := client.Read(answer); err != nil || string(answer[:count]) != "hello" {
				t.Errorf("at %s: %q, %v", address, answer[:count], err)
			}
		}
	})
}
