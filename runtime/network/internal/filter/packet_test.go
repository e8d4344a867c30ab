package filter

import (
	"encoding/binary"
	"testing"
)

var (
	here  = address{10, 42, 0, 2}
	there = address{10, 42, 0, 3}
)

// datagram makes an IPv4 packet.
func datagram(protocol uint8, source, destination address, payload []byte) []byte {
	data := make([]byte, 20+len(payload))
	data[0] = 0x45
	binary.BigEndian.PutUint16(data[2:], uint16(len(data)))
	binary.BigEndian.PutUint16(data[4:], 77)
	data[8], data[9] = 64, protocol
	copy(data[12:], source[:])
	copy(data[16:], destination[:])
	copy(data[20:], payload)
	return data
}

func segment(source, destination uint16, flags uint8) []byte {
	data := make([]byte, 20)
	binary.BigEndian.PutUint16(data, source)
	binary.BigEndian.PutUint16(data[2:], destination)
	data[12], data[13] = 0x50, flags
	return data
}

// fragmented sets the offset, in units of eight bytes, and the flag for more.
func fragmented(data []byte, offset uint16, more bool) []byte {
	if more {
		offset |= 0x2000
	}
	binary.BigEndian.PutUint16(data[6:], offset)
	return data
}

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		ok   bool
		want packet
	}{
		{"nothing", nil, false, packet{}},
		{"IPv6", append([]byte{0x60}, make([]byte, 60)...), false, packet{}},
		{"header longer than the packet", func() []byte { d := datagram(protocolTCP, here, there, nil); d[0] = 0x4f; return d }(), false, packet{}},
		{"shorter than it says", datagram(protocolTCP, here, there, segment(1, 2, 0))[:30], false, packet{}},
		{"TCP", datagram(protocolTCP, here, there, segment(4000, 80, flagSYN)), true,
			packet{source: here, destination: there, protocol: protocolTCP, sourcePort: 4000, destinationPort: 80, flags: flagSYN, identification: 77, first: true}},
		{"padding after the packet", append(datagram(protocolUDP, here, there, segment(1, 2, 0)[:8]), make([]byte, 18)...), true,
			packet{source: here, destination: there, protocol: protocolUDP, sourcePort: 1, destinationPort: 2, identification: 77, first: true}},
		{"TCP without all of its header", datagram(protocolTCP, here, there, segment(4000, 80, flagSYN)[:13]), false, packet{}},
		{"tiny first fragment", fragmented(datagram(protocolTCP, here, there, segment(4000, 80, 0)[:8]), 0, true), false, packet{}},
		{"fragment over the TCP header", fragmented(datagram(protocolTCP, here, there, segment(4000, 80, 0)), 1, false), false, packet{}},
		{"later fragment", fragmented(datagram(protocolUDP, here, there, []byte("x")), 100, false), true,
			packet{source: here, destination: there, protocol: protocolUDP, identification: 77}},
		{"echo", datagram(protocolICMP, here, there, []byte{echoRequest, 0, 0, 0, 1, 2, 0, 1}), true,
			packet{source: here, destination: there, protocol: protocolICMP, kind: echoRequest, sourcePort: 0x102, destinationPort: 0x102, identification: 77, first: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := parse(test.data)
			if ok != test.ok {
				t.Fatalf("ok %t, want %t", ok, test.ok)
			}
			if !ok {
				return
			}
			if got.source != test.want.source || got.destination != test.want.destination || got.protocol != test.want.protocol ||
				got.sourcePort != test.want.sourcePort || got.destinationPort != test.want.destinationPort || got.flags != test.want.flags ||
				got.kind != test.want.kind || got.identification != test.want.identification || got.first != test.want.first || got.more != test.want.more {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(datagram(protocolTCP, here, there, segment(4000, 80, flagSYN)))
	f.Add(datagram(protocolICMP, here, there, append([]byte{3, 0, 0, 0, 0, 0, 0, 0}, datagram(protocolUDP, there, here, make([]byte, 8))...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, ok := parse(data); ok {
			quotedFlow(p.quoted)
		}
		parseARP(data)
	})
}
