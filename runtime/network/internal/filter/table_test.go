package filter

import (
	"net/netip"
	"testing"
)

// tablePods are pod-0 at 10.42.0.2, pod-1 at 10.42.0.3 and pod-2 at 10.42.0.4.
func tablePods() []*pod {
	var pods []*pod
	for i, last := range []byte{2, 3, 4} {
		pods = append(pods, &pod{name: []string{"pod-0", "pod-1", "pod-2"}[i], address: netip.AddrFrom4([4]byte{10, 42, 0, last})})
	}
	return pods
}

var elsewhere = address{10, 42, 0, 4}

// step is a packet, and whether it passes.
type step struct {
	data []byte
	pass bool
	// at is in seconds.
	at int64
}

func tcp(source, destination address, from, to uint16, flags uint8) []byte {
	return datagram(protocolTCP, source, destination, segment(from, to, flags))
}

func udp(source, destination address, from, to uint16) []byte {
	return datagram(protocolUDP, source, destination, segment(from, to, 0)[:8])
}

func icmp(source, destination address, kind uint8, rest ...byte) []byte {
	return datagram(protocolICMP, source, destination, append([]byte{kind, 0, 0, 0, 0, 9, 0, 0}, rest...))
}

// TestTable has pod-1 (there) reached by pod-0 (here) only.
func TestTable(t *testing.T) {
	const syn, ack, fin, rst = flagSYN, flagACK, flagFIN, flagRST
	tests := []struct {
		name  string
		steps []step
	}{
		{"a connection that is allowed", []step{
			{tcp(here, there, 40000, 80, syn), true, 0},
			{tcp(there, here, 80, 40000, syn|ack), true, 0},
			{tcp(here, there, 40000, 80, ack), true, 1},
			{tcp(there, here, 80, 40000, fin|ack), true, idleEstablished},
		}},
		{"a connection that is not", []step{
			{tcp(elsewhere, there, 40000, 80, syn), false, 0},
			{tcp(elsewhere, there, 40000, 80, ack), false, 0},
			{tcp(there, elsewhere, 80, 40000, syn|ack), false, 0},
		}},
		{"an answer does not open the way for a connection back", []step{
			{tcp(there, elsewhere, 40000, 80, syn), true, 0},
			{tcp(elsewhere, there, 80, 40000, syn|ack), true, 0},
			{tcp(elsewhere, there, 80, 40000, syn), false, 0},
			{tcp(elsewhere, there, 81, 40000, syn), false, 0},
			{tcp(elsewhere, there, 80, 40000, ack), true, 0},
		}},
		{"a connection older than the filter goes on if its client may", []step{
			{tcp(there, here, 80, 40000, ack), true, 0},
			{tcp(here, there, 40000, 80, ack), true, 0},
		}},
		{"a connection older than the filter ends if its client may not", []step{
			{tcp(there, elsewhere, 80, 40000, ack), false, 0},
			{tcp(elsewhere, there, 40000, 80, ack), false, 0},
		}},
		{"ports are used again after the end", []step{
			{tcp(there, elsewhere, 40000, 80, syn), true, 0},
			{tcp(elsewhere, there, 80, 40000, rst), true, 0},
			{tcp(elsewhere, there, 80, 40000, syn), false, 0},
			{tcp(there, elsewhere, 40000, 80, syn), true, 0},
			{tcp(elsewhere, there, 80, 40000, syn|ack), true, 0},
		}},
		{"datagrams and their answers", []step{
			{udp(there, elsewhere, 5000, 53), true, 0},
			{udp(elsewhere, there, 53, 5000), true, idleDatagram - 1},
			{udp(elsewhere, there, 54, 5000), false, idleDatagram - 1},
			{udp(elsewhere, there, 53, 5000), false, 2*idleDatagram - 1},
		}},
		{"echo", []step{
			{icmp(elsewhere, there, echoRequest), false, 0},
			{icmp(there, elsewhere, echoReply), false, 0},
			{icmp(there, elsewhere, echoRequest), true, 0},
			{icmp(elsewhere, there, echoReply), true, 0},
			{icmp(here, there, echoRequest), true, 0},
		}},
		{"errors belong to a flow", []step{
			{icmp(elsewhere, there, 3, udp(there, elsewhere, 5000, 53)...), false, 0},
			{udp(there, elsewhere, 5000, 53), true, 0},
			{icmp(elsewhere, there, 3, udp(there, elsewhere, 5000, 53)...), true, 0},
			{icmp(address{192, 0, 2, 1}, there, 11, udp(there, elsewhere, 5000, 53)...), true, 0},
			{icmp(elsewhere, there, 3, udp(there, elsewhere, 5001, 53)...), false, 0},
			{icmp(elsewhere, there, 3, udp(elsewhere, there, 53, 5000)...), false, 0},
			{icmp(elsewhere, there, 13), false, 0},
		}},
		{"fragments follow their first", []step{
			{fragmented(udp(here, there, 5000, 53), 8, false), false, 0},
			{fragmented(udp(here, there, 5000, 53), 0, true), true, 0},
			{fragmented(udp(here, there, 5000, 53), 8, false), true, 0},
			{fragmented(udp(elsewhere, there, 5000, 53), 8, false), false, 0},
			{fragmented(udp(elsewhere, there, 5000, 53), 0, true), false, 0},
			{fragmented(udp(elsewhere, there, 5000, 53), 8, false), false, 0},
			{fragmented(udp(here, there, 5000, 53), 8, false), false, idleFragments},
		}},
		{"other protocols", []step{
			{datagram(47, here, there, []byte("gre")), true, 0},
			{datagram(47, elsewhere, there, []byte("gre")), false, 0},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table := newTable(rulesFor(tablePods(), ingress("pod-1", "pod-0")))
			for i, step := range test.steps {
				p, ok := parse(step.data)
				if !ok {
					t.Fatalf("step %d can not be parsed", i)
				}
				if got := table.admit(&p, step.at); got != step.pass {
					t.Errorf("step %d: pass %t, want %t", i, got, step.pass)
				}
			}
		})
	}
}

func TestRulesThatChangeApplyToFlows(t *testing.T) {
	table := newTable(rulesFor(tablePods(), ingress("pod-1", "pod-0")))
	admit := func(data []byte, want bool) {
		t.Helper()
		p, _ := parse(data)
		if got := table.admit(&p, 0); got != want {
			t.Errorf("pass %t, want %t", got, want)
		}
	}
	// The client has the lower port: nothing but the flow tells who it is.
	admit(tcp(here, there, 1000, 8080, flagSYN), true)
	admit(tcp(there, here, 8080, 1000, flagSYN|flagACK), true)
	admit(udp(here, there, 1000, 8080), true)
	table.setRules(rulesFor(tablePods(), ingress("pod-1")))
	admit(tcp(there, here, 8080, 1000, flagACK), false)
	admit(tcp(here, there, 1000, 8080, flagACK), false)
	admit(tcp(here, there, 1000, 8080, flagSYN), false)
	admit(udp(here, there, 1000, 8080), false)
	table.setRules(rulesFor(tablePods(), ingress("pod-1", "pod-0")))
	admit(tcp(there, here, 8080, 1000, flagACK), true)
	admit(udp(there, here, 8080, 1000), true)
}

func TestTableIsBounded(t *testing.T) {
	table := newTable(rulesFor(tablePods()))
	for i := range maxFlows + 1000 {
		p, _ := parse(udp(here, there, uint16(i), uint16(i>>16)))
		if !table.admit(&p, 0) {
			t.Fatal("a flow that is allowed does not pass")
		}
	}
	if len(table.flows) > maxFlows {
		t.Errorf("%d flows, want %d at most", len(table.flows), maxFlows)
	}
	table.expire(idleDatagram)
	if len(table.flows) != 0 {
		t.Errorf("%d flows are left when all have expired", len(table.flows))
	}
}

func BenchmarkAdmit(b *testing.B) {
	table := newTable(rulesFor(tablePods(), ingress("pod-1", "pod-0")))
	data := tcp(here, there, 40000, 80, flagACK)
	b.ReportAllocs()
	for b.Loop() {
		p, _ := parse(data)
		if !table.admit(&p, 0) {
			b.Fatal("denied")
		}
	}
}
