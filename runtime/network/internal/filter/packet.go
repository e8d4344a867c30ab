package filter

import (
	"encoding/binary"
	"net/netip"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/policy"
)

const (
	ethernetHeader = 14
	etherTypeIPv4  = 0x0800
	etherTypeARP   = 0x0806

	protocolICMP = 1
	protocolTCP  = 6
	protocolUDP  = 17
	protocolSCTP = 132

	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4

	echoReply   = 0
	echoRequest = 8
)

type address [4]byte

// multicast is true for the limited broadcast address too.
func (a address) multicast() bool { return a[0] >= 224 }

// packet is what decides about an IPv4 packet.
type packet struct {
	source, destination         address
	protocol                    uint8
	sourcePort, destinationPort uint16
	// flags are those of TCP.
	flags uint8
	// kind is the type of an ICMP message, and quoted the start of the packet that an
	// ICMP error is about.
	kind   uint8
	quoted []byte
	// identification is what the fragments of one packet have in common. A packet in one
	// piece is its own first, without more.
	identification uint16
	first, more    bool
}

// parse reads an IPv4 packet, and is false for one that no host would take or whose
// transport header does not lie in its first fragment as a whole (RFC 1858, RFC 3128).
func parse(data []byte) (packet, bool) {
	var p packet
	payload, ok := p.network(data)
	if !ok {
		return p, false
	}
	if !p.first {
		return p, true
	}
	return p, p.transport(payload)
}

func (p *packet) network(data []byte) (payload []byte, ok bool) {
	if len(data) < 20 || data[0]>>4 != 4 {
		return nil, false
	}
	header := int(data[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(data[2:]))
	if header < 20 || total < header || total > len(data) {
		return nil, false
	}
	fragment := binary.BigEndian.Uint16(data[6:])
	offset := fragment & 0x1fff
	p.identification = binary.BigEndian.Uint16(data[4:])
	p.first, p.more = offset == 0, fragment&0x2000 != 0
	p.protocol = data[9]
	p.source, p.destination = address(data[12:16]), address(data[16:20])
	// A second fragment this early would overwrite the TCP flags of the first.
	if offset == 1 && p.protocol == protocolTCP {
		return nil, false
	}
	return data[header:total], true
}

func (p *packet) transport(data []byte) bool {
	switch p.protocol {
	case protocolTCP:
		if len(data) < 20 {
			return false
		}
		p.flags = data[13]
		p.ports(data)
	case protocolUDP, protocolSCTP:
		if len(data) < 8 {
			return false
		}
		p.ports(data)
	case protocolICMP:
		if len(data) < 8 {
			return false
		}
		p.kind = data[0]
		switch p.kind {
		case echoRequest, echoReply:
			// The identifier is to an echo what the pair of ports is to a datagram.
			identifier := binary.BigEndian.Uint16(data[4:])
			p.sourcePort, p.destinationPort = identifier, identifier
		default:
			p.quoted = data[8:]
		}
	}
	return true
}

func (p *packet) ports(data []byte) {
	p.sourcePort = binary.BigEndian.Uint16(data)
	p.destinationPort = binary.BigEndian.Uint16(data[2:])
}

// quotedFlow reads as much of a packet as an ICMP error quotes: the IPv4 header and
// eight bytes (RFC 792).
func quotedFlow(data []byte) (packet, bool) {
	var p packet
	if len(data) < 28 || data[0]>>4 != 4 {
		return p, false
	}
	header := int(data[0]&0x0f) * 4
	if header < 20 || len(data) < header+8 {
		return p, false
	}
	p.protocol = data[9]
	p.source, p.destination = address(data[12:16]), address(data[16:20])
	switch p.protocol {
	case protocolTCP, protocolUDP, protocolSCTP:
		p.ports(data[header:])
	case protocolICMP:
		identifier := binary.BigEndian.Uint16(data[header+4:])
		p.sourcePort, p.destinationPort = identifier, identifier
	}
	return p, true
}

// isError says whether an ICMP message is about another packet (RFC 1122, 3.2.2).
func isError(kind uint8) bool {
	switch kind {
	case 3, 4, 5, 11, 12:
		return true
	}
	return false
}

// flow is the flow that p starts.
func (p *packet) flow() policy.Flow {
	flow := policy.Flow{
		Source:      netip.AddrFrom4(p.source),
		Destination: netip.AddrFrom4(p.destination),
		Protocol:    policy.Other,
	}
	switch p.protocol {
	case protocolTCP:
		flow.Protocol, flow.Port = v1.ProtocolTCP, p.destinationPort
	case protocolUDP:
		flow.Protocol, flow.Port = v1.ProtocolUDP, p.destinationPort
	case protocolSCTP:
		flow.Protocol, flow.Port = v1.ProtocolSCTP, p.destinationPort
	case protocolICMP:
		flow.Protocol = policy.ICMP
	}
	return flow
}

// reversed is the packet that answers p, as far as its flow goes.
func (p *packet) reversed() packet {
	return packet{
		protocol: p.protocol,
		source:   p.destination, sourcePort: p.destinationPort,
		destination: p.source, destinationPort: p.sourcePort,
	}
}
