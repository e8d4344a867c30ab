package exposure

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/services"
)

// podAddress is an address of the sandbox that pods have in host-network mode.
var podAddress = netip.MustParseAddr("127.0.0.1")

// startShared returns an Exposure in host-network mode.
func startShared(t *testing.T) (*Exposure, chan reported) {
	t.Helper()
	exposure, reports := start(t, func(netip.Addr) bool { return false })
	exposure.config.PodAddress = podAddress
	return exposure, reports
}

// clusterService is a Service port at a ClusterIP of the loopback range with one endpoint.
func clusterService(at string, protocol v1.Protocol, endpoint netip.AddrPort) map[services.Frontend]*services.Port {
	endpoints := []services.Endpoint{{Address: endpoint}}
	port := &services.Port{Name: services.PortName{Protocol: protocol}, Internal: endpoints, External: endpoints}
	port.Name.Service.Namespace, port.Name.Service.Name = "default", "web"
	return map[services.Frontend]*services.Port{{Protocol: protocol, Address: netip.MustParseAddrPort(at)}: port}
}

// listenAndGreet greets each client of a TCP port.
func listenAndGreet(t *testing.T, at, greeting string) {
	t.Helper()
	listener, err := net.Listen("tcp4", at)
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
}

// untilGreeted waits for a greeting.
func untilGreeted(t *testing.T, address, greeting string) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; {
		answer, err := greeted(address)
		if err == nil && answer == greeting {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("at %s: %q, %v, want %q", address, answer, err, greeting)
		}
	}
}

func TestClusterIPLeadsToAnotherPort(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := startShared(t)
		cluster := clusterService("127.43.0.7:80", v1.ProtocolTCP, serve(t, "pod").Address)
		check(t, exposure.Apply(Wanted{Cluster: cluster}))
		if answer, err := greeted("127.43.0.7:80"); err != nil || answer != "pod" {
			t.Errorf("%q, %v", answer, err)
		}
		check(t, exposure.Apply(Wanted{}))
		if _, err := greeted("127.43.0.7:80"); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("without the Service: %v, want a refusal", err)
		}
		if len(reports) > 0 {
			t.Errorf("reported: %v", <-reports)
		}
	})
}

// TestPodOfTheSamePortIsNotInTheWay is what nearly all Services are like: a pod listens at
// all addresses, at the port that its Service has too.
func TestPodOfTheSamePortIsNotInTheWay(t *testing.T) {
	for name, listensAt := range map[string]string{"at all addresses": "0.0.0.0:8080", "at its own address": "127.0.0.1:8080"} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(t *testing.T) {
				exposure, reports := startShared(t)
				cluster := clusterService("127.43.0.7:8080", v1.ProtocolTCP, netip.MustParseAddrPort("127.0.0.1:8080"))
				check(t, exposure.Apply(Wanted{Cluster: cluster}))
				// The pod counts as ready before it listens.
				listenAndGreet(t, listensAt, "pod")
				untilGreeted(t, "127.43.0.7:8080", "pod")
				check(t, exposure.Apply(Wanted{Cluster: cluster}))
				if len(reports) > 0 {
					t.Errorf("reported: %v", <-reports)
				}
			})
		})
	}
}

// TestServiceThatGetsThePortOfItsPodMakesWay changes a Service's target.
func TestServiceThatGetsThePortOfItsPodMakesWay(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, _ := startShared(t)
		check(t, exposure.Apply(Wanted{Cluster: clusterService("127.43.0.7:8080", v1.ProtocolTCP, serve(t, "pod").Address)}))
		check(t, exposure.Apply(Wanted{Cluster: clusterService("127.43.0.7:8080", v1.ProtocolTCP, netip.MustParseAddrPort("127.0.0.1:8080"))}))
		listenAndGreet(t, "0.0.0.0:8080", "another pod")
		untilGreeted(t, "127.43.0.7:8080", "another pod")
	})
}

// TestOwnPortOfAPodNeedsNoListener has a load balancer's port, and a host port, at which the
// pod listens itself: a listener beside it would connect to itself.
func TestOwnPortOfAPodNeedsNoListener(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := startShared(t)
		pod := netip.MustParseAddrPort("127.0.0.1:30080")
		endpoints := []services.Endpoint{{Address: pod}}
		port := &services.Port{Name: services.PortName{Protocol: v1.ProtocolTCP}, Internal: endpoints, External: endpoints}
		check(t, exposure.Apply(Wanted{
			Node: map[services.NodeFrontend]*services.Port{nodePort: port},
			HostPorts: []HostPort{{
				Pod: podA, Protocol: v1.ProtocolTCP, At: netip.MustParseAddrPort("0.0.0.0:30080"), Target: pod,
			}},
		}))
		if _, err := greeted("127.0.0.1:30080"); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("before the pod listens: %v, want a refusal", err)
		}
		listenAndGreet(t, "0.0.0.0:30080", "pod")
		untilGreeted(t, "127.0.0.1:30080", "pod")
		if len(reports) > 0 {
			t.Errorf("reported: %v", <-reports)
		}
	})
}

func TestPodInTheWayOfAnotherServiceIsReported(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, reports := startShared(t)
		listenAndGreet(t, "0.0.0.0:80", "a pod of another Service")
		check(t, exposure.Apply(Wanted{Cluster: clusterService("127.43.0.7:80", v1.ProtocolTCP, serve(t, "pod").Address)}))
		got := <-reports
		if want := "TCP port 80 at 127.43.0.7 can not be had: another program of the sandbox has it"; got.message != want || got.owner.Name != "web" {
			t.Errorf("reported %v, want %s", got, want)
		}
	})
}

func TestUDPServiceWaitsForItsPod(t *testing.T) {
	inside(t, func(t *testing.T) {
		exposure, _ := startShared(t)
		check(t, exposure.Apply(Wanted{Cluster: clusterService("127.43.0.7:5353", v1.ProtocolUDP, netip.MustParseAddrPort("127.0.0.1:5353"))}))
		server, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:5353")))
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
		client, err := net.Dial("udp4", "127.43.0.7:5353")
		check(t, err)
		defer client.Close()
		answer := make([]byte, 100)
		for deadline := time.Now().Add(limit); ; {
			_, _ = client.Write([]byte("hello"))
			check(t, client.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
			count, err := client.Read(answer)
			if err == nil && string(answer[:count]) == "hello" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q, %v", answer[:count], err)
			}
		}
	})
}
