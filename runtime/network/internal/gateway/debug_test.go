package gateway

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestDebug(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		direct := start(t, "pod", 0)
		udp := serveUDP(t, outside.Addr())
		fmt.Println("ping direct", direct.ask(t, request{Operation: "ping", To: netip.AddrPortFrom(outside.Addr(), 0), Count: 1, Bytes: 56}))
		fmt.Println("ping direct lo", direct.ask(t, request{Operation: "ping", To: netip.MustParseAddrPort("127.0.0.1:0"), Count: 1, Bytes: 56}))
		fmt.Println("ping direct node", direct.ask(t, request{Operation: "ping", To: netip.AddrPortFrom(nodeAddress.Addr(), 0), Count: 1, Bytes: 56}))
		fmt.Println("udp frags direct", direct.ask(t, request{Operation: "udp", To: udp, Count: 1, Bytes: 5000}))
		node.startGateway(t)
		pod := node.startPod(t)
		udpNode := serveUDP(t, nodeAddress.Addr())
		fmt.Println("pod ping outside", pod.ask(t, request{Operation: "ping", To: netip.AddrPortFrom(outside.Addr(), 0), Count: 1, Bytes: 56}))
		fmt.Println("pod ping node", pod.ask(t, request{Operation: "ping", To: netip.AddrPortFrom(nodeAddress.Addr(), 0), Count: 1, Bytes: 56}))
		fmt.Println("pod ping node 3000", pod.ask(t, request{Operation: "ping", To: netip.AddrPortFrom(nodeAddress.Addr(), 0), Count: 1, Bytes: 3000}))
		fmt.Println("pod ping gateway 3000", pod.ask(t, request{Operation: "ping", To: netip.AddrPortFrom(gatewayAddress.Addr(), 0), Count: 1, Bytes: 3000}))
		fmt.Println("pod udp node 5000", pod.ask(t, request{Operation: "udp", To: udpNode, Count: 1, Bytes: 5000}))
		fmt.Println("pod udp 1400", pod.ask(t, request{Operation: "udp", To: udp, Count: 1, Bytes: 1400}))
		fmt.Println("pod udp 5000", pod.ask(t, request{Operation: "udp", To: udp, Count: 1, Bytes: 5000}))
	})
}
