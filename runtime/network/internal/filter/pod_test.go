package filter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// pod is a network namespace that a thread of this process keeps alive; work is done
// on that thread.
type pod struct {
	name    string
	link    string
	address netip.Addr
	work    chan func()
}

func (n *node) addPod(t *testing.T, number int) *pod {
	t.Helper()
	made := &pod{
		name:    fmt.Sprintf("pod-%d", number),
		link:    fmt.Sprintf("veth%011x", number+1),
		address: netip.AddrFrom4([4]byte{10, 42, 0, byte(number + 2)}),
		work:    make(chan func()),
	}
	opened := make(chan int)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			close(opened)
			return
		}
		descriptor, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			close(opened)
			return
		}
		opened <- descriptor
		for work := range made.work {
			work()
		}
	}()
	namespace, ok := <-opened
	if !ok {
		t.Fatal("no network namespace")
	}
	path := filepath.Join(n.namespaces, fmt.Sprintf("%s-%d", made.name, namespace))
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, unix.Mount(fmt.Sprintf("/proc/self/fd/%d", namespace), path, "", unix.MS_BIND, ""))
	t.Cleanup(func() { must(t, unix.Unmount(path, 0)) })
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU = made.link, mtu
	must(t, n.links.LinkAdd(&netlink.Veth{
		LinkAttrs: attributes, PeerName: "eth0", PeerNamespace: netlink.NsFd(namespace), PeerTxQLen: -1,
		PeerHardwareAddr: hardwareAddress(made.address),
	}))
	link, err := n.links.LinkByName(made.link)
	must(t, err)
	bridge, err := n.links.LinkByName(bridgeName)
	must(t, err)
	must(t, n.links.LinkSetMaster(link, bridge))
	must(t, n.links.LinkSetUp(link))
	must(t, made.do(func() error {
		inside, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join(netlink.AddrAdd(inside, network(made.address)), netlink.LinkSetUp(inside))
	}))
	made.echo(t)
	return made
}

func (p *pod) do(work func() error) error {
	done := make(chan error)
	p.work <- func() { done <- work() }
	return <-done
}

// echo answers each line with the same, by TCP and by UDP, and starts the sink.
func (p *pod) echo(t *testing.T) {
	t.Helper()
	must(t, p.do(func() error {
		err := errors.Join(
			serve(port, func(connection net.Conn) { _, _ = io.Copy(connection, connection) }),
			serve(sinkPort, func(connection net.Conn) { _, _ = io.Copy(io.Discard, connection) }),
		)
		if err != nil {
			return err
		}
		datagrams, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		go func() {
			buffer := make([]byte, mtu)
			for {
				length, from, err := datagrams.ReadFrom(buffer)
				if err != nil {
					return
				}
				_, _ = datagrams.WriteTo(buffer[:length], from)
			}
		}()
		return nil
	}))
}

func serve(port int, handle func(net.Conn)) error {
	listener, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				handle(connection)
				_ = connection.Close()
			}()
		}
	}()
	return nil
}

// line is an open connection or a pair of UDP sockets.
type line struct {
	net.Conn
	reader *bufio.Reader
}

// dial connects from the pod, or from the node if p is nil.
func (p *pod) dial(protocol string, to *pod, limit time.Duration) (*line, error) {
	return p.dialPort(protocol, to, port, limit)
}

func (p *pod) dialPort(protocol string, to *pod, port int, limit time.Duration) (*line, error) {
	var made *line
	connect := func() error {
		connection, err := net.DialTimeout(protocol, fmt.Sprintf("%s:%d", to.address, port), limit)
		if err != nil {
			return err
		}
		made = &line{Conn: connection, reader: bufio.NewReader(connection)}
		return nil
	}
	if p == nil {
		return made, connect()
	}
	err := p.do(connect)
	return made, err
}

// say sends a line and waits for the same.
func (l *line) say(text string, limit time.Duration) error {
	if err := l.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := io.WriteString(l, text+"\n"); err != nil {
		return err
	}
	answer, err := l.reader.ReadString('\n')
	if err == nil && answer != text+"\n" {
		return fmt.Errorf("answer %q to %q", answer, text)
	}
	return err
}

// reach says whether a new connection, or a datagram, gets an answer.
func (p *pod) reach(protocol string, to *pod, limit time.Duration) error {
	made, err := p.dial(protocol, to, limit)
	if err != nil {
		return err
	}
	defer made.Close()
	if protocol == "tcp4" {
		return made.say("hello", limit)
	}
	// A datagram may get lost.
	for end := time.Now().Add(limit); ; {
		err := made.say("hello", silence)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

func (n *node) reaches(t *testing.T, protocol string, from, to *pod, want bool) {
	t.Helper()
	limit := patience
	if !want {
		limit = silence
	}
	name := "node"
	if from != nil {
		name = from.name
	}
	if err := from.reach(protocol, to, limit); (err == nil) != want {
		t.Errorf("%s: %s reaches %s: %v, want %t (%v)", protocol, name, to.name, err == nil, want, err)
	}
}
