package gateway

import (
	"net/netip"
	"testing"
)

func TestDecide(t *testing.T) {
	client := netip.MustParseAddr("10.99.0.2")
	loopback := netip.MustParseAddrPort("127.0.0.1:6443")
	routes := &routes{
		pods: netip.MustParsePrefix("10.99.0.0/24"),
		node: []netip.Addr{netip.MustParseAddr("10.99.0.1")},
		allow: func(from netip.Addr, protocol Protocol, to netip.AddrPort) bool {
			return from == client && to != netip.MustParseAddrPort("192.0.2.1:99")
		},
		redirect: func(protocol Protocol, to netip.AddrPort) (netip.AddrPort, bool) {
			return loopback, to.Port() == 6443
		},
	}
	tests := []struct {
		client, to string
		protocol   Protocol
		target     string
		verdict    verdict
	}{
		{"10.99.0.2", "192.0.2.1:80", TCP, "192.0.2.1:80", dial},
		{"10.99.0.2", "192.0.2.1:0", ICMP, "192.0.2.1:0", dial},
		{"10.99.0.2", "192.0.2.1:99", TCP, "192.0.2.1:99", drop},
		{"10.99.0.3", "192.0.2.1:80", TCP, "192.0.2.1:80", drop},
		{"10.99.0.3", "192.0.2.1:6443", TCP, "192.0.2.1:6443", drop},
		{"10.99.0.2", "192.0.2.1:6443", TCP, "127.0.0.1:6443", dial},
		{"10.99.0.2", "192.0.2.1:6443", ICMP, "192.0.2.1:6443", dial},
		{"10.99.0.2", "10.99.0.1:80", TCP, "10.99.0.1:80", dial},
		{"10.99.0.2", "10.99.0.3:80", TCP, "10.99.0.3:80", refuse},
		{"10.99.0.2", "127.0.0.1:80", TCP, "127.0.0.1:80", refuse},
		{"10.99.0.2", "0.0.0.0:80", TCP, "0.0.0.0:80", refuse},
		{"10.99.0.2", "224.0.0.251:5353", UDP, "224.0.0.251:5353", drop},
		{"10.99.0.2", "255.255.255.255:67", UDP, "255.255.255.255:67", drop},
	}
	for _, test := range tests {
		t.Run(test.client+" to "+test.to+" by "+string(test.protocol), func(t *testing.T) {
			target, verdict := routes.decide(netip.MustParseAddr(test.client), test.protocol, netip.MustParseAddrPort(test.to))
			if verdict != test.verdict || target.String() != test.target {
				t.Errorf("got %s, verdict %d; want %s, verdict %d", target, verdict, test.target, test.verdict)
			}
		})
	}
}
