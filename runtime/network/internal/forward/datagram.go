package forward

import (
	"errors"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveDatagram waits without holding a buffer. The datagram is valid until release.
func receiveDatagram(from net.Conn) (datagram []byte, release func(), err error) {
	udp, ok := from.(*net.UDPConn)
	if !ok {
		return receiveAny(from)
	}
	raw, err := udp.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var buffer *[bufferBytes]byte
	var count int
	var failed error
	err = raw.Read(func(descriptor uintptr) (finished bool) {
		buffer = buffers.Get().(*[bufferBytes]byte)
		if count, failed = readNow(descriptor, buffer[:]); failed == nil {
			return true
		}
		buffers.Put(buffer)
		return !errors.Is(failed, unix.EAGAIN)
	})
	if err != nil {
		return nil, nil, err
	}
	if failed != nil {
		return nil, nil, failed
	}
	return buffer[:count], func() { buffers.Put(buffer) }, nil
}

func receiveAny(from net.Conn) (datagram []byte, release func(), err error) {
	buffer := buffers.Get().(*[bufferBytes]byte)
	count, err := from.Read(buffer[:])
	if err != nil {
		buffers.Put(buffer)
		return nil, nil, err
	}
	return buffer[:count], func() { buffers.Put(buffer) }, nil
}

// datagramSocket is a listening UDP socket that knows which of its addresses a
// datagram came to. A socket that listens at one address has no need to ask.
type datagramSocket struct {
	*net.UDPConn
	wildcard bool
	control  []byte
}

func newDatagramSocket(socket *net.UDPConn) (*datagramSocket, error) {
	made := &datagramSocket{UDPConn: socket}
	address, ok := socket.LocalAddr().(*net.UDPAddr)
	if !ok || !address.IP.IsUnspecified() {
		return made, nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return made, err
	}
	var failed error
	err = raw.Control(func(descriptor uintptr) {
		failed = unix.SetsockoptInt(int(descriptor), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	})
	if err = errors.Join(err, failed); err != nil {
		return made, err
	}
	made.wildcard = true
	made.control = make([]byte, unix.CmsgSpace(unix.SizeofInet4Pktinfo))
	return made, nil
}

// receive is for one goroutine.
func (s *datagramSocket) receive(buffer []byte) (int, flowKey, error) {
	if !s.wildcard {
		count, client, err := s.ReadFromUDPAddrPort(buffer)
		return count, flowKey{client: unmapped(client)}, err
	}
	count, controlCount, _, client, err := s.ReadMsgUDPAddrPort(buffer, s.control)
	return count, flowKey{client: unmapped(client), local: destination(s.control[:controlCount])}, err
}

func (s *datagramSocket) send(datagram []byte, to flowKey) error {
	if !to.local.IsValid() {
		_, err := s.WriteToUDPAddrPort(datagram, to.client)
		return err
	}
	_, _, err := s.WriteMsgUDPAddrPort(datagram, sourceControl(to.local), to.client)
	return err
}

func unmapped(address netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
}

// destination reads the IP_PKTINFO message (ip(7)); not valid if there is none.
func destination(control []byte) netip.Addr {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return netip.Addr{}
	}
	for _, message := range messages {
		if message.Header.Level == unix.IPPROTO_IP && message.Header.Type == unix.IP_PKTINFO && len(message.Data) >= unix.SizeofInet4Pktinfo {
			info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&message.Data[0]))
			return netip.AddrFrom4(info.Addr)
		}
	}
	return netip.Addr{}
}

// sourceControl is the IP_PKTINFO message that lets a datagram leave from an address.
func sourceControl(source netip.Addr) []byte {
	return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: source.As4()})
}
