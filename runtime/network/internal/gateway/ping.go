package gateway

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const maxPingFlows = 512

// pingCarrier sends the echo requests of pods anew, and nothing else of ICMP.
type pingCarrier struct {
	flows  *flowTable
	routes *routes
	writer *packetWriter
	logger *slog.Logger
	// identifier is that of the last flow; a raw socket sees the replies of all.
	identifier atomic.Uint32
}

func carryPing(netstack *stack.Stack, routes *routes, writer *packetWriter, logger *slog.Logger) *flowTable {
	carrier := &pingCarrier{flows: newFlowTable(maxPingFlows), routes: routes, writer: writer, logger: logger}
	carrier.identifier.Store(uint32(os.Getpid()))
	own := tcpip.AddrFrom4(writer.address.As4())
	netstack.SetTransportProtocolHandler(header.ICMPv4ProtocolNumber, func(id stack.TransportEndpointID, packet *stack.PacketBuffer) bool {
		if id.LocalAddress == own {
			return false // The stack answers for itself.
		}
		carrier.carry(id, packet)
		return true
	})
	return carrier.flows
}

func (c *pingCarrier) carry(id stack.TransportEndpointID, packet *stack.PacketBuffer) {
	request := header.ICMPv4(packet.TransportHeader().Slice())
	if request.Type() != header.ICMPv4Echo {
		return
	}
	key := flowKey{client: addrPort(id.RemoteAddress, request.Ident()), to: addrPort(id.LocalAddress, 0)}
	about := quoteOf(packet)
	ttl := header.IPv4(packet.NetworkHeader().Slice()).TTL()
	if ttl <= 1 {
		c.report(c.writer.address, header.ICMPv4TimeExceeded, header.ICMPv4TTLExceeded, about)
		return
	}
	message := append(append([]byte{}, request...), packet.Data().AsRange().ToSlice()...)
	flow := c.flows.find(key)
	if flow == nil {
		if flow = c.begin(key, message, about); flow == nil {
			return
		}
	}
	socket := flow.socket.(*pingSocket)
	socket.setTTL(ttl - 1)
	socket.identify(message)
	flow.send(message, about)
}

// begin opens a socket for a flow, unless its first request is done with already.
func (c *pingCarrier) begin(key flowKey, message header.ICMPv4, first quote) *flow {
	_, verdict := c.routes.decide(key.client.Addr(), ICMP, key.to)
	if verdict == refuse {
		c.report(c.writer.address, header.ICMPv4DstUnreachable, header.ICMPv4HostUnreachable, first)
	}
	if verdict != dial || c.flows.full() {
		return nil
	}
	// gVisor of 2026-09 answers no ping from itself to an address other than loopback.
	if isOwn(key.to.Addr()) {
		c.answer(key, message)
		return nil
	}
	socket, err := openPingSocket(key.to.Addr(), uint16(c.identifier.Add(1)))
	if err != nil {
		c.logger.Warn("a pod's ping can not be carried", "pod", key.client.Addr(), "to", key.to.Addr(), "reason", err)
		c.unreachable(err, first)
		return nil
	}
	flow, err := c.flows.add(key, socket, c.receive, c.fail)
	if err != nil {
		c.logger.Debug("a ping has not begun", "pod", key.client.Addr(), "to", key.to.Addr(), "reason", err)
		return nil
	}
	return flow
}

func (c *pingCarrier) receive(f *flow, packet []byte) {
	message, ok := f.socket.(*pingSocket).reply(packet)
	if !ok {
		return
	}
	message.SetIdent(f.key.client.Port())
	c.answer(f.key, message)
}

// answer sends the pod an echo reply.
func (c *pingCarrier) answer(key flowKey, message header.ICMPv4) {
	message.SetType(header.ICMPv4EchoReply)
	if err := c.writer.icmp(key.to.Addr(), key.client.Addr(), message); err != nil {
		c.logger.Debug("an echo reply has not reached its pod", "pod", key.client.Addr(), "reason", err)
	}
}

// isOwn says whether an address is one of this network namespace's.
func isOwn(address netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(own, func(each net.Addr) bool {
		prefix, err := netip.ParsePrefix(each.String())
		return err == nil && prefix.Addr() == address
	})
}

// fail tells the pod what became of its request: what a router has said, where the socket
// knows it.
func (c *pingCarrier) fail(f *flow, reason error) {
	if reported, ok := f.socket.(*pingSocket).icmpError(); ok {
		c.report(reported.from, reported.kind, reported.code, f.about())
		return
	}
	c.unreachable(reason, f.about())
}

func (c *pingCarrier) unreachable(reason error, about quote) {
	if code, known := unreachableCode(reason); known {
		c.report(c.writer.address, header.ICMPv4DstUnreachable, code, about)
	}
}

func (c *pingCarrier) report(from netip.Addr, kind header.ICMPv4Type, code header.ICMPv4Code, about quote) {
	if err := c.writer.icmpError(from, kind, code, about); err != nil {
		c.logger.Debug("an ICMP error has not reached its pod", "reason", err)
	}
}
