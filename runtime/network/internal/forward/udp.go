package forward

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
)

// ServeUDP forwards each client's datagrams to one backend, and the replies back from
// the address that the client has sent to. It returns when the socket is closed.
func (f *Forwarder) ServeUDP(ctx context.Context, socket *net.UDPConn, backends Backends) {
	frontend, err := newDatagramSocket(socket)
	if err != nil {
		f.logger.Warn("replies may leave from another address", slog.Any("socket", socket.LocalAddr()), slog.Any("error", err))
	}
	table := &flowTable{forwarder: f, frontend: frontend, backends: backends, flows: map[flowKey]*flow{}}
	defer table.close()
	buffer := make([]byte, bufferBytes)
	for {
		count, from, err := frontend.receive(buffer)
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil {
			// The system is out of memory, or tells an ICMP error that a reply has provoked.
			if !pause(ctx, acceptPause) {
				return
			}
			continue
		}
		table.forward(ctx, from, buffer[:count])
	}
}

// flowTable holds the flows of one socket.
type flowTable struct {
	forwarder *Forwarder
	frontend  *datagramSocket
	backends  Backends

	lock    sync.Mutex
	flows   map[flowKey]*flow
	running sync.WaitGroup
}

// forward sends a datagram to the backend of its flow; like the network it may lose one.
func (t *flowTable) forward(ctx context.Context, key flowKey, datagram []byte) {
	// A send may tell that an earlier datagram was refused, and this one was not sent then.
	for range 2 {
		known := t.lookUp(key)
		if known != nil && !t.backends.Has(known.backend) {
			t.drop(known)
			known = nil
		}
		if known == nil {
			known = t.open(ctx, key)
		}
		if known == nil || known.send(datagram) {
			return
		}
		t.drop(known)
	}
}

func (t *flowTable) lookUp(key flowKey) *flow {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.flows[key]
}

// open starts a flow; only the goroutine that reads the socket calls it.
func (t *flowTable) open(ctx context.Context, key flowKey) *flow {
	logger := t.forwarder.logger.With(slog.Any("client", key.client))
	backend, ok := t.backends.Pick(Client{Address: key.client.Addr(), At: key.local})
	if !ok {
		logger.Debug("a datagram is dropped", slog.Any("error", errNoBackend))
		return nil
	}
	t.lock.Lock()
	full := len(t.flows) >= maxFlows
	t.lock.Unlock()
	if full {
		logger.Warn("a datagram is dropped: too many flows", slog.Int("limit", maxFlows))
		return nil
	}
	connection, err := t.forwarder.dial(ctx, "udp4", backend)
	if err != nil {
		logger.Debug("a datagram is dropped", slog.Any("error", err))
		return nil
	}
	made := newFlow(t, key, backend, connection)
	t.lock.Lock()
	t.flows[key] = made
	t.lock.Unlock()
	t.running.Go(func() {
		made.reply()
		t.drop(made)
	})
	return made
}

// drop ends a flow; the client's next datagram starts another.
func (t *flowTable) drop(gone *flow) {
	t.lock.Lock()
	if t.flows[gone.key] == gone {
		delete(t.flows, gone.key)
	}
	t.lock.Unlock()
	// Datagrams are gone or not; there is nothing that a close could lose.
	_ = gone.connection.Close()
}

func (t *flowTable) close() {
	t.lock.Lock()
	var open []*flow
	for _, each := range t.flows {
		open = append(open, each)
	}
	t.lock.Unlock()
	for _, each := range open {
		t.drop(each)
	}
	t.running.Wait()
}

// flowKey is what datagrams of one flow have in common.
type flowKey struct {
	client netip.AddrPort
	// local is the address that the client sends to; not valid when the socket has
	// only one.
	local netip.Addr
}
