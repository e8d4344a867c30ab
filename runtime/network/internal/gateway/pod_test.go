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
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// patience is how long a pod waits for anything.
const patience = 20 * time.Second

// request is what a pod is to do.
type request struct {
	Operation string
	To        netip.AddrPort
	Count     int
	Bytes     int
}

type result struct {
	Error   string
	Seconds float64
	Bytes   int64
}

func podMain() error {
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var what request
		if err := json.Unmarshal(input.Bytes(), &what); err != nil {
			return err
		}
		start := time.Now()
		bytes, err := what.run()
		answer := result{Bytes: bytes, Seconds: time.Since(start).Seconds()}
		if err != nil {
			answer.Error = err.Error()
		}
		encoded, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(encoded))
	}
	return input.Err()
}

func (r request) run() (int64, error) {
	switch r.Operation {
	case "configure":
		return 0, configurePod()
	case "tcp":
		return 0, r.tcp()
	case "half-close":
		return r.halfClose()
	case "udp":
		return 0, r.udp()
	case "ping":
		return 0, r.ping()
	}
	return 0, fmt.Errorf("unknown operation %q", r.Operation)
}

func configurePod() error {
	for _, name := range []string{"lo", "eth0"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if name == "eth0" {
			if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: network(podAddress)}); err != nil {
				return err
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return err
		}
		if name == "eth0" {
			return netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: gatewayAddress.Addr().AsSlice()})
		}
	}
	return nil
}

func (r request) dial(network string) (net.Conn, error) {
	conn, err := net.DialTimeout(network, r.To.String(), patience)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// tcp makes connections in parallel, and has its bytes echoed on each when all stand.
func (r request) tcp() error {
	var connected, done sync.WaitGroup
	errs := make(chan error, r.Count)
	connected.Add(r.Count)
	for range r.Count {
		done.Go(func() {
			conn, err := r.dial("tcp4")
			connected.Done()
			if err != nil {
				errs <- err
				return
			}
			defer conn.Close()
			connected.Wait()
			errs <- echo(conn, r.Bytes)
		})
	}
	done.Wait()
	close(errs)
	var all []error
	for err := range errs {
		if err != nil && len(all) < 3 {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

func echo(conn net.Conn, size int) error {
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(i * 7)
	}
	go func() { _, _ = conn.Write(sent) }()
	received := make([]byte, size)
	if _, err := io.ReadFull(conn, received); err != nil {
		return err
	}
	if string(received) != string(sent) {
		return errors.New("the echo differs")
	}
	return nil
}

// halfClose sends its bytes, ends its side, and counts what the echo gives until it ends.
func (r request) halfClose() (int64, error) {
	conn, err := r.dial("tcp4")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	go func() {
		_, _ = conn.Write(make([]byte, r.Bytes))
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	return io.Copy(io.Discard, conn)
}

func (r request) udp() error {
	conn, err := r.dial("udp4")
	if err != nil {
		return err
	}
	defer conn.Close()
	for range r.Count {
		if err := echoDatagram(conn, r.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func echoDatagram(conn net.Conn, size int) error {
	sent := make([]byte, size)
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	received := make([]byte, size+1)
	got, err := conn.Read(received)
	if err != nil {
		return err
	}
	if got != size {
		return fmt.Errorf("%d bytes came back, %d were sent", got, size)
	}
	return nil
}

func (r request) ping() error {
	socket, err := openPingSocket(r.To.Addr(), uint16(os.Getpid()))
	if err != nil {
		return err
	}
	defer socket.Close()
	message := make([]byte, header.ICMPv4MinimumSize+r.Bytes)
	header.ICMPv4(message).SetType(header.ICMPv4Echo)
	for sequence := range r.Count {
		header.ICMPv4(message).SetSequence(uint16(sequence))
		socket.identify(message)
		if _, err := socket.Write(message); err != nil {
			return err
		}
		if err := awaitReply(socket, uint16(sequence), r.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func awaitReply(socket *pingSocket, sequence uint16, size int) error {
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	packet := make([]byte, 1<<16)
	for {
		got, err := socket.Read(packet)
		if err != nil {
			return err
		}
		reply, ok := socket.reply(packet[:got])
		if ok && reply.Sequence() == sequence && len(reply) == header.ICMPv4MinimumSize+size {
			return nil
		}
	}
}
