package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	// maxConnecting bounds the connections that are being made; a pod's SYN beyond it is
	// lost, and sent again after a second.
	maxConnecting = 1024
	// dialTimeout is below what pods wait for: a pod that still waits sends its SYN
	// again, and a new attempt begins.
	dialTimeout = 30 * time.Second
	// A connection is probed only to notice that its pod or its server is gone without a
	// word. One that is idle stays.
	keepAliveIdle     = 5 * time.Minute
	keepAliveInterval = time.Minute
	keepAliveCount    = 9
)

// tcpCarrier makes each connection of a pod anew.
type tcpCarrier struct {
	routes *routes
	writer *packetWriter
	dialer net.Dialer
	logger *slog.Logger
	chunks *chunkPool

	mu sync.Mutex
	// connecting has the SYN of each connection that is being made.
	connecting map[stack.TransportEndpointID]quote
}

func carryTCP(ctx context.Context, netstack *stack.Stack, routes *routes, writer *packetWriter, logger *slog.Logger) {
	carrier := &tcpCarrier{
		routes: routes, writer: writer, logger: logger, chunks: newChunkPool(),
		dialer: net.Dialer{
			Timeout: dialTimeout,
			KeepAliveConfig: net.KeepAliveConfig{
				Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
			},
		},
		connecting: map[stack.TransportEndpointID]quote{},
	}
	forwarder := tcp.NewForwarder(netstack, bufferBytes, maxConnecting, func(request *tcp.ForwarderRequest) {
		carrier.carry(ctx, request)
	})
	netstack.SetTransportProtocolHandler(tcp.ProtocolNumber, func(id stack.TransportEndpointID, packet *stack.PacketBuffer) bool {
		if header.TCP(packet.TransportHeader().Slice()).Flags()&header.TCPFlagSyn == 0 {
			return false // Of no connection: the stack resets it.
		}
		if !carrier.begin(id, quoteOf(packet)) {
			return true
		}
		handled := forwarder.HandlePacket(id, packet)
		if !handled {
			carrier.end(id)
		}
		return handled
	})
}

// begin says whether a SYN begins a new attempt.
func (c *tcpCarrier) begin(id stack.TransportEndpointID, syn quote) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, again := c.connecting[id]; again || len(c.connecting) >= maxConnecting {
		return false
	}
	c.connecting[id] = syn
	return true
}

func (c *tcpCarrier) end(id stack.TransportEndpointID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.connecting, id)
}

func (c *tcpCarrier) syn(id stack.TransportEndpointID) quote {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connecting[id]
}

func (c *tcpCarrier) carry(ctx context.Context, request *tcp.ForwarderRequest) {
	pod, server := c.connect(ctx, request)
	if pod != nil {
		splice(pod, server)
	}
}

// connect reaches the server before it answers the pod, so that the pod sees what the
// server does. It returns nil when there is no connection.
func (c *tcpCarrier) connect(ctx context.Context, request *tcp.ForwarderRequest) (*podConn, *net.TCPConn) {
	id := request.ID()
	// In this order: a SYN that comes between the two is taken for a repetition.
	defer c.end(id)
	client, to := netip.AddrFrom4(id.RemoteAddress.As4()), addrPort(id.LocalAddress, id.LocalPort)
	target, verdict := c.routes.decide(client, TCP, to)
	if verdict != dial {
		request.Complete(verdict == refuse)
		return nil, nil
	}
	dialed, err := c.dialer.DialContext(ctx, "tcp4", target.String())
	if err != nil {
		c.refuse(request, client, target, err)
		return nil, nil
	}
	server := dialed.(*net.TCPConn)
	queue := &waiter.Queue{}
	endpoint, failed := request.CreateEndpoint(queue)
	if failed != nil {
		c.logger.Debug("a pod gave up while it was connected", "pod", client, "to", to, "reason", failed)
		request.Complete(true)
		reset(server)
		return nil, nil
	}
	request.Complete(false)
	keepAlive(endpoint)
	return &podConn{endpoint: endpoint, queue: queue, chunks: c.chunks}, server
}

// refuse tells the pod why its connection could not be made, as the network would.
func (c *tcpCarrier) refuse(request *tcp.ForwarderRequest, client netip.Addr, target netip.AddrPort, reason error) {
	code, known := unreachableCode(reason)
	if known {
		syn := c.syn(request.ID())
		if err := c.writer.icmpError(c.writer.address, header.ICMPv4DstUnreachable, code, syn); err != nil {
			c.logger.Debug("a pod was not told that its destination is unreachable", "pod", client, "reason", err)
		}
	}
	refused := errors.Is(reason, unix.ECONNREFUSED)
	var timeout net.Error
	if !known && !refused && !(errors.As(reason, &timeout) && timeout.Timeout()) {
		c.logger.Warn("a pod's connection could not be made", "pod", client, "to", target, "reason", reason)
	}
	request.Complete(refused)
}

// unreachableCode is the code of the ICMP error that an error of a socket stands for.
func unreachableCode(reason error) (header.ICMPv4Code, bool) {
	switch {
	case errors.Is(reason, unix.EHOSTUNREACH), errors.Is(reason, unix.EHOSTDOWN):
		return header.ICMPv4HostUnreachable, true
	case errors.Is(reason, unix.ENETUNREACH):
		return header.ICMPv4NetUnreachable, true
	case errors.Is(reason, unix.EACCES), errors.Is(reason, unix.EPERM):
		return header.ICMPv4AdminProhibited, true
	}
	return 0, false
}

// keepAlive lets the endpoint notice that a pod is gone.
func keepAlive(endpoint tcpip.Endpoint) {
	idle, interval := tcpip.KeepaliveIdleOption(keepAliveIdle), tcpip.KeepaliveIntervalOption(keepAliveInterval)
	// No endpoint of TCP refuses these.
	_ = endpoint.SetSockOpt(&idle)
	_ = endpoint.SetSockOpt(&interval)
	_ = endpoint.SetSockOptInt(tcpip.KeepaliveCountOption, keepAliveCount)
	endpoint.SocketOptions().SetKeepAlive(true)
}

func addrPort(address tcpip.Address, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(address.As4()), port)
}
