package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/services"
)

// limit is far above what anything inside one machine takes.
const limit = 5 * time.Minute

// serveTCP runs a server in the pod, and returns where it listens.
func (p *pod) serveTCP(t *testing.T, serve func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	var at netip.AddrPort
	check(t, p.do(func() error {
		listener, err := forward.ListenTCP(t.Context(), netip.AddrPortFrom(p.address, 0))
		if err != nil {
			return err
		}
		at = listener.Addr().(*net.TCPAddr).AddrPort()
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				connection, err := listener.AcceptTCP()
				if err != nil {
					return
				}
				go func() {
					defer connection.Close()
					serve(connection)
				}()
			}
		}()
		return nil
	}))
	return at
}

func echo(connection *net.TCPConn) { _, _ = io.Copy(connection, connection) }

// serveUDP answers each datagram with a name.
func (p *pod) serveUDP(t *testing.T, name string) netip.AddrPort {
	t.Helper()
	var at netip.AddrPort
	check(t, p.do(func() error {
		socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.address, 0)))
		if err != nil {
			return err
		}
		at = socket.LocalAddr().(*net.UDPAddr).AddrPort()
		t.Cleanup(func() { _ = socket.Close() })
		go func() {
			buffer := make([]byte, 2048)
			for {
				_, client, err := socket.ReadFromUDPAddrPort(buffer)
				if err != nil {
					return
				}
				_, _ = socket.WriteToUDPAddrPort([]byte(name), client)
			}
		}()
		return nil
	}))
	return at
}

func dial(network string) (net.Conn, error) {
	address := frontendTCP.Address
	if network == "udp4" {
		address = frontendUDP.Address
	}
	// Thousands of keep-alives at once would stop the bridge in gVisor of 2024-07.
	dialer := net.Dialer{Timeout: limit, KeepAlive: -1}
	connection, err := dialer.Dial(network, address.String())
	if err != nil {
		return nil, err
	}
	return connection, connection.SetDeadline(time.Now().Add(limit))
}

// dialFrom connects from a pod.
func (p *pod) dial(t *testing.T, network string) net.Conn {
	t.Helper()
	var connection net.Conn
	check(t, p.do(func() (err error) {
		connection, err = dial(network)
		return err
	}))
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// exchange sends a text and wants it back.
func exchange(connection net.Conn, text string) error {
	if _, err := io.WriteString(connection, text); err != nil {
		return err
	}
	answer := make([]byte, len(text))
	if _, err := io.ReadFull(connection, answer); err != nil {
		return err
	}
	if string(answer) != text {
		return fmt.Errorf("the answer is %q, want %q", answer, text)
	}
	return nil
}

// ask sends a datagram and returns the answer.
func ask(connection net.Conn) (string, error) {
	if _, err := io.WriteString(connection, "?"); err != nil {
		return "", err
	}
	buffer := make([]byte, 2048)
	count, err := connection.Read(buffer)
	return string(buffer[:count]), err
}

func attempt(network string) error {
	connection, err := dial(network)
	if err != nil {
		return err
	}
	defer connection.Close()
	if network == "udp4" {
		_, err = ask(connection)
		return err
	}
	return exchange(connection, "hello")
}

func TestPodsAndNodeReachAService(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		client, server := node.addPod(t), node.addPod(t)
		proxy := startProxy(t)
		check(t, proxy.Apply(snapshot([]netip.AddrPort{server.serveTCP(t, echo)}, []netip.AddrPort{server.serveUDP(t, "here")})))
		for _, network := range []string{"tcp4", "udp4"} {
			for name, from := range map[string]func(func() error) error{
				"a pod":              client.do,
				"the endpoint's pod": server.do,
				"the node":           func(work func() error) error { return work() },
			} {
				if err := from(func() error { return attempt(network) }); err != nil {
					t.Errorf("%s from %s: %v", network, name, err)
				}
			}
		}
	})
}

func TestWithoutEndpointsClientsAreRefusedAtOnce(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		client, server := node.addPod(t), node.addPod(t)
		endpoints := snapshot([]netip.AddrPort{server.serveTCP(t, echo)}, []netip.AddrPort{server.serveUDP(t, "here")})
		proxy := startProxy(t)
		for turn := range 2 {
			check(t, proxy.Apply(snapshot(nil, nil)))
			for _, network := range []string{"tcp4", "udp4"} {
				if err := client.do(func() error { return attempt(network) }); !errors.Is(err, unix.ECONNREFUSED) {
					t.Errorf("turn %d, %s: %v, want a refusal", turn, network, err)
				}
			}
			check(t, proxy.Apply(endpoints))
			for _, network := range []string{"tcp4", "udp4"} {
				check(t, client.do(func() error { return attempt(network) }))
			}
		}
	})
}

func TestEndsOfConnectionsArePassedOn(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		client, server := node.addPod(t), node.addPod(t)
		proxy := startProxy(t)
		count := func(connection *net.TCPConn) {
			received, err := io.Copy(io.Discard, connection)
			if err == nil {
				_, _ = fmt.Fprint(connection, received)
			}
		}
		reset := func(connection *net.TCPConn) {
			_, _ = connection.Read(make([]byte, 1))
			_ = connection.SetLinger(0)
		}
		t.Run("half-close", func(t *testing.T) {
			check(t, proxy.Apply(snapshot([]netip.AddrPort{server.serveTCP(t, count)}, nil)))
			connection := client.dial(t, "tcp4").(*net.TCPConn)
			const length = 3 << 20
			_, err := connection.Write(make([]byte, length))
			check(t, err)
			check(t, connection.CloseWrite())
			answer, err := io.ReadAll(connection)
			if err != nil || string(answer) != fmt.Sprint(length) {
				t.Errorf("the server has counted %q, %v", answer, err)
			}
		})
		t.Run("reset", func(t *testing.T) {
			check(t, proxy.Apply(snapshot([]netip.AddrPort{server.serveTCP(t, reset)}, nil)))
			connection := client.dial(t, "tcp4")
			_, err := connection.Write([]byte("x"))
			check(t, err)
			if answer, err := io.ReadAll(connection); !errors.Is(err, unix.ECONNRESET) {
				t.Errorf("%q, %v, want a reset", answer, err)
			}
		})
	})
}

func TestConnectionsOutliveTheirService(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		client, server := node.addPod(t), node.addPod(t)
		endpoints := snapshot([]netip.AddrPort{server.serveTCP(t, echo)}, nil)
		proxy := startProxy(t)
		check(t, proxy.Apply(endpoints))
		connection := client.dial(t, "tcp4")
		check(t, exchange(connection, "before"))
		for _, next := range []*services.Snapshot{snapshot(nil, nil), endpoints, {}} {
			check(t, proxy.Apply(next))
			check(t, exchange(connection, "after"))
		}
	})
}

func TestUDPFlowLeavesAnEndpointThatIsGone(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		client, server := node.addPod(t), node.addPod(t)
		first, second := server.serveUDP(t, "first"), server.serveUDP(t, "second")
		proxy := startProxy(t)
		check(t, proxy.Apply(snapshot(nil, []netip.AddrPort{first})))
		connection := client.dial(t, "udp4")
		for _, step := range []struct {
			endpoints []netip.AddrPort
			want      string
		}{
			{[]netip.AddrPort{first}, "first"},
			{[]netip.AddrPort{first, second}, "first"},
			{[]netip.AddrPort{second}, "second"},
		} {
			check(t, proxy.Apply(snapshot(nil, step.endpoints)))
			if answer, err := ask(connection); err != nil || answer != step.want {
				t.Errorf("with %v: %q, %v, want %q", step.endpoints, answer, err, step.want)
			}
		}
	})
}

func TestManyConnections(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		const many, workers = 2000, 16
		client, server := node.addPod(t), node.addPod(t)
		proxy := startProxy(t)
		check(t, proxy.Apply(snapshot([]netip.AddrPort{server.serveTCP(t, echo)}, nil)))
		var connections []net.Conn
		for range many {
			connections = append(connections, client.dial(t, "tcp4"))
		}
		// Few at a time: what is tested is that all are there, not how this process copes.
		var exchanges sync.WaitGroup
		for worker := range workers {
			exchanges.Go(func() {
				for index := worker; index < many; index += workers {
					if err := exchange(connections[index], fmt.Sprint("connection ", index)); err != nil {
						t.Errorf("connection %d: %v", index, err)
					}
				}
			})
		}
		exchanges.Wait()
		// One after the other: thousands of packets at once stop the bridge for good in
		// gVisor of 2024-07.
		for index, connection := range connections {
			check(t, connection.(*net.TCPConn).CloseWrite())
			if rest, err := io.ReadAll(connection); err != nil || len(rest) > 0 {
				t.Errorf("connection %d ends with %q, %v", index, rest, err)
			}
			check(t, connection.Close())
		}
	})
}

func TestAKilledProxyIsReplaced(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		client, server := node.addPod(t), node.addPod(t)
		endpoint := server.serveTCP(t, echo)
		for turn := range 3 {
			command := exec.CommandContext(t.Context(), "/proc/self/exe")
			command.Env = append(os.Environ(), standaloneVariable+"="+endpoint.String())
			command.Stderr = os.Stderr
			output, err := command.StdoutPipe()
			check(t, err)
			check(t, command.Start())
			if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
				t.Fatalf("turn %d: the proxy does not start: %v", turn, err)
			}
			if err := client.do(func() error { return attempt("tcp4") }); err != nil {
				t.Errorf("turn %d, from a pod: %v", turn, err)
			}
			if err := attempt("tcp4"); err != nil {
				t.Errorf("turn %d, from the node: %v", turn, err)
			}
			check(t, command.Process.Kill())
			_ = command.Wait()
		}
	})
}
