package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// gatewayMain runs a gateway until its input ends.
func gatewayMain() error {
	mtu, err := strconv.Atoi(os.Getenv("GATEWAY_TEST_MTU"))
	if err != nil {
		return err
	}
	redirected, _ := netip.ParseAddrPort(os.Getenv("GATEWAY_TEST_REDIRECT"))
	gateway, err := Open(Config{
		Bridge: bridgeName, Link: linkName, Address: gatewayAddress, MTU: mtu,
		Allow: func(client netip.Addr, _ Protocol, _ netip.AddrPort) bool {
			return client == podAddress.Addr()
		},
		Redirect: func(_ Protocol, to netip.AddrPort) (netip.AddrPort, bool) {
			loopback := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Port())
			return loopback, to == redirected
		},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		return err
	}
	fmt.Println("open")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return errors.Join(gateway.Run(ctx), gateway.Close())
}

func (n *node) startGateway(t *testing.T, environment ...string) *process {
	t.Helper()
	gateway := start(t, "gateway", 0, append(environment, "GATEWAY_TEST_MTU="+strconv.Itoa(n.mtu))...)
	if _, err := gateway.line(); err != nil {
		t.Fatal(err)
	}
	return gateway
}

func serveTCP(t *testing.T, address netip.Addr, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp4", netip.AddrPortFrom(address, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

func echoStream(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(conn, conn)
}

func serveUDP(t *testing.T, address netip.Addr) netip.AddrPort {
	t.Helper()
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		datagram := make([]byte, 1<<16)
		for {
			size, from, err := socket.ReadFromUDPAddrPort(datagram)
			if err != nil {
				return
			}
			_, _ = socket.WriteToUDPAddrPort(datagram[:size], from)
		}
	}()
	return socket.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestGateway(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		loopback := netip.MustParseAddr("127.0.0.1")
		tcp, udp := serveTCP(t, outside.Addr(), echoStream), serveUDP(t, outside.Addr())
		hidden := serveTCP(t, loopback, echoStream)
		redirected := netip.MustParseAddrPort(fmt.Sprintf("198.51.100.1:%d", hidden.Port()))
		closed := netip.AddrPortFrom(outside.Addr(), 1)
		gateway := node.startGateway(t, "GATEWAY_TEST_REDIRECT="+redirected.String())
		pod := node.startPod(t)

		tests := []struct {
			name string
			do   request
			// reason is what the pod's error says; empty: there is none.
			reason string
		}{
			{"TCP to an address of the node", request{Operation: "tcp", To: tcp, Count: 1, Bytes: 1 << 20}, ""},
			{"many connections", request{Operation: "tcp", To: tcp, Count: 500, Bytes: 5000}, ""},
			{"UDP to an address of the node", request{Operation: "udp", To: udp, Count: 3, Bytes: 100}, ""},
			{"UDP in fragments", request{Operation: "udp", To: udp, Count: 3, Bytes: 5000}, ""},
			{"redirected to loopback", request{Operation: "tcp", To: redirected, Count: 1, Bytes: 100}, ""},
			{"TCP to a closed port", request{Operation: "tcp", To: closed, Count: 1}, "connection refused"},
			{"UDP to a closed port", request{Operation: "udp", To: closed, Count: 1}, "connection refused"},
			{"the gateway itself", request{Operation: "tcp", To: netip.AddrPortFrom(gatewayAddress.Addr(), 80), Count: 1}, "connection refused"},
			{"an address that nobody has", request{Operation: "tcp", To: netip.MustParseAddrPort("192.0.2.77:80"), Count: 1}, "no route to host"},
			{"ping of an address of the node", request{Operation: "ping", To: netip.AddrPortFrom(outside.Addr(), 0), Count: 3, Bytes: 56}, ""},
			{"ping in fragments", request{Operation: "ping", To: netip.AddrPortFrom(outside.Addr(), 0), Count: 1, Bytes: 3000}, ""},
			{"ping of the gateway", request{Operation: "ping", To: netip.AddrPortFrom(gatewayAddress.Addr(), 0), Count: 1, Bytes: 56}, ""},
		}
		run := func(t *testing.T) {
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					got := pod.ask(t, test.do)
					t.Logf("%.1f ms, %q", got.Seconds*1000, got.Error)
					if (got.Error == "") != (test.reason == "") || !strings.Contains(got.Error, test.reason) {
						t.Errorf("got error %q, want %q", got.Error, test.reason)
					}
				})
			}
		}
		t.Run("first", run)
		t.Run("half-close", func(t *testing.T) {
			const size = 300_000
			got := pod.ask(t, request{Operation: "half-close", To: tcp, Bytes: size})
			if got.Error != "" || got.Bytes != size {
				t.Errorf("got %d bytes and error %q, want %d bytes", got.Bytes, got.Error, size)
			}
		})
		t.Run("ping of an address that nobody has", func(t *testing.T) {
			// A ping socket of gVisor hears nothing of it, and so does the pod.
			ping := request{Operation: "ping", To: netip.MustParseAddrPort("192.0.2.77:0"), Count: 1, Bytes: 56}
			want := start(t, "pod", 0).ask(t, ping).Error
			if got := pod.ask(t, ping).Error; got != want || want == "" {
				t.Errorf("got error %q, the node itself gets %q", got, want)
			}
		})
		gateway.kill()
		gateway = node.startGateway(t, "GATEWAY_TEST_REDIRECT="+redirected.String())
		t.Run("after a kill", run)
		if err := gateway.end(); err != nil {
			t.Errorf("the gateway ends with %v", err)
		}
		if _, err := netlink.LinkByName(linkName); !isMissing(err) {
			t.Errorf("the gateway has left its link: %v", err)
		}
	})
}
