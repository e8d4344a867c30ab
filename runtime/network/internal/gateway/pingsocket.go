package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// pingSocket sends echo requests to one address.
type pingSocket struct {
	*os.File
	// raw says that the socket gives whole IP packets, of all echo replies.
	raw        bool
	identifier uint16
	// ttl is that of the last request.
	ttl byte
}

// openPingSocket opens an unprivileged ping socket, or where the range of groups that may
// (net.ipv4.ping_group_range) leaves root out, a raw socket.
func openPingSocket(to netip.Addr, identifier uint16) (*pingSocket, error) {
	const flags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	raw := false
	descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|flags, unix.IPPROTO_ICMP)
	if err != nil {
		var second error
		descriptor, second = unix.Socket(unix.AF_INET, unix.SOCK_RAW|flags, unix.IPPROTO_ICMP)
		if second != nil {
			return nil, fmt.Errorf("open a ping socket: %w; a raw socket: %w", err, second)
		}
		raw = true
	}
	if err := unix.Connect(descriptor, &unix.SockaddrInet4{Addr: to.As4()}); err != nil {
		return nil, fmt.Errorf("connect a ping socket to %s: %w", to, errors.Join(err, unix.Close(descriptor)))
	}
	// Where that fails, pods get no answer instead of an error.
	_ = unix.SetsockoptInt(descriptor, unix.IPPROTO_IP, unix.IP_RECVERR, 1)
	return &pingSocket{File: os.NewFile(uintptr(descriptor), "ping"), raw: raw, identifier: identifier}, nil
}

// setTTL sets the time to live of the next request; where that fails, it is the default.
func (s *pingSocket) setTTL(ttl byte) {
	if s.ttl == ttl {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(descriptor uintptr) {
		_ = unix.SetsockoptInt(int(descriptor), unix.IPPROTO_IP, unix.IP_TTL, int(ttl))
	})
	s.ttl = ttl
}

// identify gives an echo request the identifier of the socket; a ping socket does it itself.
func (s *pingSocket) identify(request header.ICMPv4) {
	request.SetIdent(s.identifier)
	request.SetChecksum(0)
	request.SetChecksum(^checksum.Checksum(request, 0))
}

// reply returns the echo reply in what the socket has received.
func (s *pingSocket) reply(packet []byte) (header.ICMPv4, bool) {
	if s.raw {
		network := header.IPv4(packet)
		if !network.IsValid(len(packet)) {
			return nil, false
		}
		packet = packet[network.HeaderLength():]
	}
	if len(packet) < header.ICMPv4MinimumSize {
		return nil, false
	}
	message := header.ICMPv4(packet)
	if message.Type() != header.ICMPv4EchoReply {
		return nil, false
	}
	return message, !s.raw || binary.BigEndian.Uint16(packet[4:]) == s.identifier
}

// icmpError is an ICMP error that a router or the destination has sent.
type icmpError struct {
	from netip.Addr
	kind header.ICMPv4Type
	code header.ICMPv4Code
}

// icmpError takes the next ICMP error from the socket's error queue (ip(7), IP_RECVERR).
func (s *pingSocket) icmpError() (icmpError, bool) {
	raw, err := s.SyscallConn()
	if err != nil {
		return icmpError{}, false
	}
	var size int
	var failed error
	control := make([]byte, 512)
	waited := raw.Control(func(descriptor uintptr) {
		_, size, _, _, failed = unix.Recvmsg(int(descriptor), nil, control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	})
	if waited != nil || failed != nil {
		return icmpError{}, false
	}
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil {
		return icmpError{}, false
	}
	for _, message := range messages {
		if message.Header.Level == unix.IPPROTO_IP && message.Header.Type == unix.IP_RECVERR {
			return parseExtendedError(message.Data)
		}
	}
	return icmpError{}, false
}

// parseExtendedError reads a struct sock_extended_err and the sockaddr_in after it.
func parseExtendedError(data []byte) (icmpError, bool) {
	const (
		origin, kind, code = 4, 5, 6
		offender           = 16 + 4
	)
	if len(data) < offender+4 || data[origin] != unix.SO_EE_ORIGIN_ICMP {
		return icmpError{}, false
	}
	return icmpError{
		from: netip.AddrFrom4([4]byte(data[offender:])),
		kind: header.ICMPv4Type(data[kind]),
		code: header.ICMPv4Code(data[code]),
	}, true
}
