package forward

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limit is far above what anything inside one machine takes.
const limit = time.Minute

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// backends is a list; the first one is always picked.
type backends struct {
	addresses atomic.Pointer[[]netip.AddrPort]
	picks     atomic.Int32
}

func newBackends(addresses ...netip.AddrPort) *backends {
	made := &backends{}
	made.addresses.Store(&addresses)
	return made
}

func (b *backends) Pick(Client) (netip.AddrPort, bool) {
	b.picks.Add(1)
	addresses := *b.addresses.Load()
	if len(addresses) == 0 {
		return netip.AddrPort{}, false
	}
	return addresses[0], true
}

func (b *backends) PickOther(_ Client, failed netip.AddrPort) (netip.AddrPort, bool) {
	for _, address := range *b.addresses.Load() {
		if address != failed {
			return address, true
		}
	}
	return netip.AddrPort{}, false
}

func (b *backends) Has(netip.AddrPort) bool { return true }

func newForwarder() *Forwarder { return New(nil, slog.New(slog.DiscardHandler)) }

func listenTCP(t *testing.T) (*net.TCPListener, netip.AddrPort) {
	t.Helper()
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener, listener.Addr().(*net.TCPAddr).AddrPort()
}

func listenUDP(t *testing.T) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	return socket, socket.LocalAddr().(*net.UDPAddr).AddrPort()
}

// closedPort is one at which nobody listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, address := listenTCP(t)
	check(t, listener.Close())
	return address
}

func greet(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, address := listenTCP(t)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(connection, "hello")
			_ = connection.Close()
		}
	}()
	return address
}

func TestClientsOfDeadBackends(t *testing.T) {
	dead, alive := closedPort(t), greet(t)
	for name, test := range map[string]struct {
		backends []netip.AddrPort
		want     error
	}{
		"another backend answers": {[]netip.AddrPort{dead, alive}, nil},
		"there is no other":       {[]netip.AddrPort{dead}, unix.ECONNRESET},
		"there is none":           {nil, unix.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			listener, address := listenTCP(t)
			go newForwarder().ServeTCP(t.Context(), listener, newBackends(test.backends...))
			answer, err := ask(address)
			if !errors.Is(err, test.want) || (test.want == nil && answer != "hello") {
				t.Errorf("%q, %v, want %v", answer, err, test.want)
			}
		})
	}
}

// ask returns what is said at an address. A reset may be as early as the dial.
func ask(address netip.AddrPort) (string, error) {
	client, err := net.DialTimeout("tcp4", address.String(), limit)
	if err != nil {
		return "", err
	}
	defer client.Close()
	if err := client.SetDeadline(time.Now().Add(limit)); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(client)
	return string(answer), err
}

func TestServeTCPWaitsForItsConnections(t *testing.T) {
	backend, backendAddress := listenTCP(t)
	listener, address := listenTCP(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		newForwarder().ServeTCP(ctx, listener, newBackends(backendAddress))
	}()
	client, err := net.DialTimeout("tcp4", address.String(), limit)
	check(t, err)
	defer client.Close()
	served, err := backend.Accept()
	check(t, err)
	defer served.Close()
	check(t, listener.Close())
	_, err = client.Write([]byte("x"))
	check(t, err)
	if _, err := io.ReadFull(served, make([]byte, 1)); err != nil {
		t.Errorf("the connection ends with the listener: %v", err)
	}
	select {
	case <-done:
		t.Error("ServeTCP returns before its connection has ended")
	default:
	}
	cancel()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%v, want a reset by the end of the context", err)
	}
	<-done
}

// TestSplicePassesAllOn covers connections that are not the kernel's too.
func TestSplicePassesAllOn(t *testing.T) {
	backend, backendAddress := listenTCP(t)
	outside, near := net.Pipe()
	toBackend, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(backendAddress))
	check(t, err)
	served, err := backend.Accept()
	check(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		Splice(t.Context(), near, toBackend)
	}()
	_, err = outside.Write([]byte("ping"))
	check(t, err)
	received := make([]byte, 4)
	if _, err := io.ReadFull(served, received); err != nil || string(received) != "ping" {
		t.Errorf("the backend got %q, %v", received, err)
	}
	_, err = served.Write([]byte("pong"))
	check(t, err)
	if _, err := io.ReadFull(outside, received); err != nil || string(received) != "pong" {
		t.Errorf("the client got %q, %v", received, err)
	}
	check(t, outside.Close())
	if _, err := served.Read(received); !errors.Is(err, io.EOF) {
		t.Errorf("the backend got %v, want the end", err)
	}
	check(t, served.Close())
	<-done
}

// startUDP forwards to a backend that the test plays.
func startUDP(t *testing.T, forwarder *Forwarder) (client, backend *net.UDPConn, chosen *backends) {
	t.Helper()
	backend, backendAddress := listenUDP(t)
	socket, address := listenUDP(t)
	chosen = newBackends(backendAddress)
	go forwarder.ServeUDP(t.Context(), socket, chosen)
	client, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(address))
	check(t, err)
	t.Cleanup(func() { _ = client.Close() })
	check(t, client.SetDeadline(time.Now().Add(limit)))
	check(t, backend.SetDeadline(time.Now().Add(limit)))
	return client, backend, chosen
}

// through sends a datagram to the backend and returns where it came from.
func through(t *testing.T, client, backend *net.UDPConn) netip.AddrPort {
	t.Helper()
	_, err := client.Write([]byte("?"))
	check(t, err)
	_, from, err := backend.ReadFromUDPAddrPort(make([]byte, 10))
	check(t, err)
	return from
}

func TestDatagramsOfOneClientShareAFlow(t *testing.T) {
	client, backend, _ := startUDP(t, newForwarder())
	first := through(t, client, backend)
	if second := through(t, client, backend); second != first {
		t.Errorf("the second datagram comes from %s, the first from %s", second, first)
	}
	// The longest datagram that there is comes through whole.
	long := make([]byte, 65507)
	_, err := backend.WriteToUDPAddrPort(long, first)
	check(t, err)
	if count, err := client.Read(make([]byte, bufferBytes)); err != nil || count != len(long) {
		t.Errorf("%d bytes of %d, %v", count, len(long), err)
	}
}

func TestSilentFlowsExpire(t *testing.T) {
	for name, reply := range map[string]bool{"without a reply": false, "after a reply": true} {
		t.Run(name, func(t *testing.T) {
			forwarder := newForwarder()
			forwarder.flowIdle, forwarder.flowIdleReplied = time.Millisecond, time.Millisecond
			if reply {
				forwarder.flowIdle = limit
			}
			client, backend, chosen := startUDP(t, forwarder)
			from := through(t, client, backend)
			if reply {
				_, err := backend.WriteToUDPAddrPort([]byte("!"), from)
				check(t, err)
				_, err = client.Read(make([]byte, 10))
				check(t, err)
			}
			for deadline := time.Now().Add(limit); chosen.picks.Load() < 2; {
				through(t, client, backend)
				if time.Now().After(deadline) {
					t.Fatal("the flow does not expire")
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
}

func TestRefusedFlowChoosesAnew(t *testing.T) {
	client, backend, chosen := startUDP(t, newForwarder())
	through(t, client, backend)
	check(t, backend.Close())
	other, otherAddress := listenUDP(t)
	check(t, other.SetDeadline(time.Now().Add(limit)))
	chosen.addresses.Store(&[]netip.AddrPort{otherAddress})
	received := make(chan error, 1)
	go func() {
		_, err := other.Read(make([]byte, 10))
		received <- err
	}()
	// One datagram is refused; one that follows goes to the other backend.
	for {
		_, err := client.Write([]byte("?"))
		check(t, err)
		select {
		case err := <-received:
			check(t, err)
			return
		default:
		}
	}
}
