package relay

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// unrepliedTimeout and repliedTimeout are how long a flow may be silent, by what Linux
	// has for UDP (nf_conntrack_udp_timeout and nf_conntrack_udp_timeout_stream).
	unrepliedTimeout = 30 * time.Second
	repliedTimeout   = 120 * time.Second
	// maxFlows bounds the sockets of one listener.
	maxFlows = 4096
)

// Choose names the endpoint of a new flow of a client; false when there is none.
type Choose func(client netip.AddrPort) (netip.AddrPort, bool)

// Datagrams carries the datagrams of one socket: each client has a flow to an endpoint,
// and answers leave from the socket that the client has written to.
type Datagrams struct {
	listener *net.UDPConn
	choose   Choose
	log      *slog.Logger

	mu     sync.Mutex
	flows  map[netip.AddrPort]*flow
	closed bool
}

type flow struct {
	endpoint netip.AddrPort
	socket   *net.UDPConn
	// lastNs is when the client has said something, in nanoseconds since the epoch.
	lastNs atomic.Int64
}

// silence is how long the client has said nothing.
func (f *flow) silence() time.Duration { return time.Since(time.Unix(0, f.lastNs.Load())) }

// NewDatagrams carries what arrives at listener from Run on.
func NewDatagrams(listener *net.UDPConn, choose Choose, log *slog.Logger) *Datagrams {
	return &Datagrams{listener: listener, choose: choose, log: log, flows: make(map[netip.AddrPort]*flow)}
}

// Run returns when the socket is closed.
func (d *Datagrams) Run() {
	buffer := make([]byte, bufferBytes)
	for {
		length, client, err := d.listener.ReadFromUDPAddrPort(buffer)
		if ended(err) {
			return
		}
		if err != nil {
			d.log.Warn("datagrams can not be read", "at", d.listener.LocalAddr(), "error", err)
			return
		}
		client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
		if flow := d.flowOf(client); flow != nil {
			flow.lastNs.Store(time.Now().UnixNano())
			// A datagram that can not be sent is lost, as datagrams are.
			_, _ = flow.socket.Write(buffer[:length])
		}
	}
}

// flowOf returns the client's flow, a new one if need be; nil when its datagrams are lost.
func (d *Datagrams) flowOf(client netip.AddrPort) *flow {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found := d.flows[client]; found != nil {
		return found
	}
	if d.closed || len(d.flows) >= maxFlows {
		return nil
	}
	endpoint, ok := d.choose(client)
	if !ok {
		return nil
	}
	socket, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(endpoint))
	if err != nil {
		d.log.Warn("datagrams can not be forwarded", "to", endpoint, "error", err)
		return nil
	}
	made := &flow{endpoint: endpoint, socket: socket}
	d.flows[client] = made
	go d.answer(client, made)
	return made
}

// answer carries the endpoint's datagrams back until both sides have been silent for too
// long, the endpoint refuses, or the flow is ended.
func (d *Datagrams) answer(client netip.AddrPort, flow *flow) {
	defer d.end(client, flow)
	raw, err := flow.socket.SyscallConn()
	if err != nil {
		return
	}
	timeout := unrepliedTimeout
	for {
		if err := flow.socket.SetReadDeadline(time.Now().Add(timeout)); err != nil {
			return
		}
		buffer, length, err := readSome(raw)
		if errors.Is(err, os.ErrDeadlineExceeded) && flow.silence() < timeout {
			continue
		}
		if err != nil {
			return
		}
		timeout = repliedTimeout
		_, err = d.listener.WriteToUDPAddrPort(buffer[:length], client)
		buffers.Put(buffer)
		if ended(err) {
			return
		}
	}
}

func (d *Datagrams) end(client netip.AddrPort, ending *flow) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flows[client] == ending {
		delete(d.flows, client)
	}
	_ = ending.socket.Close()
}

// Retain ends the flows to endpoints that are not kept, so that the clients' next
// datagrams choose anew.
func (d *Datagrams) Retain(keep func(endpoint netip.AddrPort) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for client, flow := range d.flows {
		if !keep(flow.endpoint) {
			delete(d.flows, client)
			_ = flow.socket.Close()
		}
	}
}

// Close closes the socket and ends all flows.
func (d *Datagrams) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	err := d.listener.Close()
	d.Retain(func(netip.AddrPort) bool { return false })
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
