package gateway

import (
	"fmt"
	"net/netip"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// quoteBytes is how much of a packet an ICMP error about it quotes: the header without
// options, and 8 bytes (RFC 792).
const quoteBytes = header.IPv4MinimumSize + 8

// quote is the beginning of a pod's packet, for an ICMP error about it.
type quote [quoteBytes]byte

func quoteOf(packet *stack.PacketBuffer) quote {
	var quoted quote
	network := packet.NetworkHeader().Slice()
	copy(quoted[:header.IPv4MinimumSize], network)
	// Options are left out of the quote, and out of its length.
	header.IPv4(quoted[:]).SetHeaderLength(header.IPv4MinimumSize)
	size := copy(quoted[header.IPv4MinimumSize:], packet.TransportHeader().Slice())
	if size < 8 {
		payload := packet.Data().AsRange().ToSlice()
		copy(quoted[header.IPv4MinimumSize+size:], payload)
	}
	return quoted
}

// packetWriter sends packets to pods in the name of others.
type packetWriter struct {
	stack *stack.Stack
	// address is the gateway's own.
	address netip.Addr
}

// datagram sends a UDP datagram.
func (w *packetWriter) datagram(from, to netip.AddrPort, payload []byte) error {
	route, err := w.route(from.Addr(), to.Addr())
	if err != nil {
		return err
	}
	defer route.Release()
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.UDPMinimumSize + int(route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(payload),
	})
	defer packet.DecRef()
	length := uint16(header.UDPMinimumSize + len(payload))
	datagram := header.UDP(packet.TransportHeader().Push(header.UDPMinimumSize))
	packet.TransportProtocolNumber = udp.ProtocolNumber
	datagram.Encode(&header.UDPFields{SrcPort: from.Port(), DstPort: to.Port(), Length: length})
	sum := route.PseudoHeaderChecksum(udp.ProtocolNumber, length)
	sum = checksum.Combine(sum, checksum.Checksum(payload, 0))
	if sum = ^datagram.CalculateChecksum(sum); sum == 0 {
		sum = 0xffff // 0 says that there is none (RFC 768).
	}
	datagram.SetChecksum(sum)
	return write(route, packet, udp.ProtocolNumber)
}

// icmp sends an ICMP message, whose checksum it sets.
func (w *packetWriter) icmp(from, to netip.Addr, message []byte) error {
	route, err := w.route(from, to)
	if err != nil {
		return err
	}
	defer route.Release()
	header.ICMPv4(message).SetChecksum(0)
	header.ICMPv4(message).SetChecksum(^checksum.Checksum(message, 0))
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.ICMPv4MinimumSize + int(route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(message[header.ICMPv4MinimumSize:]),
	})
	defer packet.DecRef()
	copy(packet.TransportHeader().Push(header.ICMPv4MinimumSize), message)
	packet.TransportProtocolNumber = header.ICMPv4ProtocolNumber
	return write(route, packet, header.ICMPv4ProtocolNumber)
}

// icmpError sends an ICMP error about a packet of a pod to that pod.
func (w *packetWriter) icmpError(from netip.Addr, kind header.ICMPv4Type, code header.ICMPv4Code, about quote) error {
	message := make([]byte, header.ICMPv4MinimumSize, header.ICMPv4MinimumSize+quoteBytes)
	header.ICMPv4(message).SetType(kind)
	header.ICMPv4(message).SetCode(code)
	pod := netip.AddrFrom4(header.IPv4(about[:]).SourceAddress().As4())
	return w.icmp(from, pod, append(message, about[:]...))
}

func (w *packetWriter) route(from, to netip.Addr) (*stack.Route, error) {
	route, err := w.stack.FindRoute(nic, tcpip.AddrFrom4(from.As4()), tcpip.AddrFrom4(to.As4()), ipv4.ProtocolNumber, false)
	if err != nil {
		return nil, fmt.Errorf("route from %s to %s: %s", from, to, err)
	}
	return route, nil
}

func write(route *stack.Route, packet *stack.PacketBuffer, protocol tcpip.TransportProtocolNumber) error {
	params := stack.NetworkHeaderParams{Protocol: protocol, TTL: route.DefaultTTL()}
	if err := route.WritePacket(params, packet); err != nil {
		return fmt.Errorf("write a packet to %s: %s", route.RemoteAddress(), err)
	}
	return nil
}
