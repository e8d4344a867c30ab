package gateway

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// maxUDPFlows bounds the flows at a time; each has a descriptor and a goroutine.
const maxUDPFlows = 8192

// udpCarrier sends each datagram of a pod anew, from a socket for its flow.
type udpCarrier struct {
	flows  *flowTable
	routes *routes
	writer *packetWriter
	logger *slog.Logger
}

func carryUDP(netstack *stack.Stack, routes *routes, writer *packetWriter, logger *slog.Logger) *flowTable {
	carrier := &udpCarrier{flows: newFlowTable(maxUDPFlows), routes: routes, writer: writer, logger: logger}
	netstack.SetTransportProtocolHandler(udp.ProtocolNumber, func(id stack.TransportEndpointID, packet *stack.PacketBuffer) bool {
		key := flowKey{
			client: addrPort(id.RemoteAddress, id.RemotePort),
			to:     addrPort(id.LocalAddress, id.LocalPort),
		}
		return carrier.carry(key, packet)
	})
	return carrier.flows
}

// carry sends a datagram on. False lets the stack answer that the port is unreachable.
func (c *udpCarrier) carry(key flowKey, packet *stack.PacketBuffer) bool {
	payload := packet.Data().AsRange().ToSlice()
	size := int(header.UDP(packet.TransportHeader().Slice()).Length()) - header.UDPMinimumSize
	if size < 0 || size > len(payload) {
		return true // Malformed.
	}
	flow := c.flows.find(key)
	if flow == nil {
		target, verdict := c.routes.decide(key.client.Addr(), UDP, key.to)
		if verdict != dial {
			return verdict == drop
		}
		if flow = c.begin(key, target, quoteOf(packet)); flow == nil {
			return true
		}
	}
	flow.send(payload[:size], quoteOf(packet))
	return true
}

func (c *udpCarrier) begin(key flowKey, target netip.AddrPort, first quote) *flow {
	if c.flows.full() {
		c.logger.Debug("too many UDP flows: a datagram is dropped", "pod", key.client, "to", key.to, "limit", maxUDPFlows)
		return nil
	}
	socket, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(target))
	if err != nil {
		c.report(key, err, first)
		return nil
	}
	flow, err := c.flows.add(key, socket, c.receive, func(f *flow, err error) { c.report(key, err, f.about()) })
	if err != nil {
		c.logger.Debug("a UDP flow has not begun", "pod", key.client, "to", key.to, "reason", err)
		return nil
	}
	return flow
}

func (c *udpCarrier) receive(f *flow, payload []byte) {
	if err := c.writer.datagram(f.key.to, f.key.client, payload); err != nil {
		c.logger.Debug("a datagram has not reached its pod", "pod", f.key.client, "from", f.key.to, "reason", err)
	}
}

// report tells the pod what the socket says about its datagram. A port is unreachable by
// the word of its host, all else by the gateway's.
func (c *udpCarrier) report(key flowKey, reason error, about quote) {
	from := c.writer.address
	code, known := unreachableCode(reason)
	if errors.Is(reason, unix.ECONNREFUSED) {
		from, code, known = key.to.Addr(), header.ICMPv4PortUnreachable, true
	}
	if !known {
		c.logger.Debug("a datagram of a pod is lost", "pod", key.client, "to", key.to, "reason", reason)
		return
	}
	if err := c.writer.icmpError(from, header.ICMPv4DstUnreachable, code, about); err != nil {
		c.logger.Debug("a pod was not told that its destination is unreachable", "pod", key.client, "reason", err)
	}
}
