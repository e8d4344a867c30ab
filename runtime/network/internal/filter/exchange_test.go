package filter

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
)

// recorder is a link that notes its name for each frame.
type recorder struct {
	name string
	to   *[]string
}

func (r recorder) send([]byte) { *r.to = append(*r.to, r.name) }

func frame(etherType uint16, payload []byte) []byte {
	made := make([]byte, ethernetHeader, ethernetHeader+len(payload))
	binary.BigEndian.PutUint16(made[12:], etherType)
	return append(made, payload...)
}

func arp(sender, target address) []byte {
	data := make([]byte, 28)
	copy(data, []byte{0, 1, 8, 0, 6, 4, 0, 1})
	copy(data[14:], sender[:])
	copy(data[24:], target[:])
	return frame(etherTypeARP, data)
}

// TestExchange has pod-0 (here), pod-1 (there) and the Service proxy behind ports. pod-1 is
// reached by pod-0 only.
func TestExchange(t *testing.T) {
	node, proxy, virtual := address{10, 42, 0, 1}, address{10, 42, 0, 254}, address{10, 43, 0, 10}
	ip := func(data []byte) []byte { return frame(etherTypeIPv4, data) }
	tests := []struct {
		name string
		// from is the pod that sends, or none for the trunk.
		from  address
		frame []byte
		want  []string
	}{
		{"to the node", here, ip(udp(here, node, 1, 2)), []string{"trunk"}},
		{"between filtered pods", here, ip(udp(here, there, 1, 2)), []string{"pod-1"}},
		{"denied between a free and a filtered pod", address{}, ip(udp(elsewhere, there, 1, 2)), nil},
		{"from a free pod", address{}, ip(udp(elsewhere, here, 1, 2)), []string{"pod-0"}},
		{"flooded", address{}, ip(udp(node, elsewhere, 1, 2)), nil},
		{"in another pod's name", here, ip(udp(elsewhere, node, 1, 2)), nil},
		{"in a filtered pod's name from the bridge", address{}, ip(udp(here, there, 1, 2)), nil},
		{"multicast", here, ip(udp(here, address{224, 0, 0, 251}, 1, 2)), nil},
		{"broadcast", here, ip(udp(here, address{255, 255, 255, 255}, 1, 2)), nil},
		{"IPv6", here, frame(0x86dd, make([]byte, 60)), nil},
		{"VLAN", here, frame(0x8100, udp(here, there, 1, 2)), nil},
		{"short", here, []byte{1, 2, 3}, nil},
		{"short from the trunk", address{}, ip([]byte{0x45}), nil},
		{"question to the bridge", here, arp(here, node), []string{"trunk"}},
		{"question to a filtered pod", here, arp(here, there), []string{"pod-1"}},
		{"question from the bridge", address{}, arp(node, there), []string{"pod-1"}},
		{"question that is not for here", address{}, arp(node, elsewhere), nil},
		{"announcement of a pod", here, arp(here, here), []string{"pod-1", "proxy", "trunk"}},
		{"announcement from the bridge", address{}, arp(node, node), []string{"pod-0", "pod-1", "proxy"}},
		{"to a virtual address from a filtered pod", here, ip(udp(here, virtual, 1, 2)), []string{"proxy"}},
		{"to a virtual address from the bridge", address{}, ip(udp(elsewhere, virtual, 1, 2)), []string{"proxy"}},
		{"from a virtual address to a filtered pod", proxy, ip(udp(virtual, here, 1, 2)), []string{"pod-0"}},
		{"from a virtual address to the bridge", proxy, ip(udp(virtual, elsewhere, 1, 2)), []string{"trunk"}},
		{"a filtered pod in a virtual address' name", here, ip(udp(virtual, there, 1, 2)), nil},
		{"the bridge in a virtual address' name", address{}, ip(udp(virtual, here, 1, 2)), nil},
		{"question in a virtual address' name", proxy, arp(virtual, elsewhere), []string{"trunk"}},
		{"answer to a virtual address", address{}, arp(elsewhere, virtual), []string{"proxy"}},
		{"claim of another's address", here, arp(node, there), nil},
		{"claim of a filtered pod's address from the bridge", address{}, arp(here, there), nil},
		{"question whether its own address is free", here, arp(address{}, here), []string{"trunk"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			exchange := newExchange(newTable(rulesFor(tablePods(), ingress("pod-1", "pod-0"))), &ServiceLink{
				Address: netip.AddrFrom4(proxy), Range: netip.MustParsePrefix("10.43.0.0/16"),
			})
			var got []string
			exchange.setTrunk(recorder{"trunk", &got})
			exchange.addPort(here, recorder{"pod-0", &got})
			exchange.addPort(there, recorder{"pod-1", &got})
			exchange.addPort(proxy, recorder{"proxy", &got})
			if test.from == (address{}) {
				exchange.fromTrunk(test.frame)
			} else {
				exchange.fromPod(test.from, test.frame)
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("sent to %v, want %v", got, test.want)
			}
		})
	}
}
