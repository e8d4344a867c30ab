package gateway

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// unrepliedTimeout and repliedTimeout are how long a flow without packets stays; they
	// are those of Linux' nf_conntrack_udp_timeout and nf_conntrack_udp_timeout_stream.
	unrepliedTimeout = 30 * time.Second
	repliedTimeout   = 120 * time.Second
)

// flowKey tells flows of datagrams apart. For ICMP the client's port is the identifier
// of the echo requests.
type flowKey struct {
	client, to netip.AddrPort
}

// datagramSocket is what a flow needs of a connected socket.
type datagramSocket interface {
	SyscallConn() (syscall.RawConn, error)
	SetReadDeadline(time.Time) error
	Close() error
}

// flowTable holds the flows of datagrams of one protocol.
type flowTable struct {
	limit  int
	chunks *chunkPool

	mu     sync.Mutex
	closed bool
	flows  map[flowKey]*flow
}

func newFlowTable(limit int) *flowTable {
	return &flowTable{limit: limit, chunks: newChunkPool(), flows: map[flowKey]*flow{}}
}

func (t *flowTable) find(key flowKey) *flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.flows[key]
}

// full says that no flow can be added.
func (t *flowTable) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed || len(t.flows) >= t.limit
}

// add begins a flow over a socket, which it closes when the flow ends. What comes back
// goes to receive, and what the socket reports to failed; both get the flow.
func (t *flowTable) add(key flowKey, socket datagramSocket, receive func(*flow, []byte), failed func(*flow, error)) (*flow, error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	added := &flow{key: key, socket: socket, raw: raw, chunks: t.chunks, failed: failed}
	added.touch()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errors.Join(os.ErrClosed, socket.Close())
	}
	t.flows[key] = added
	go func() {
		added.serve(receive)
		t.mu.Lock()
		delete(t.flows, key)
		t.mu.Unlock()
		_ = socket.Close()
	}()
	return added, nil
}

func (t *flowTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, flow := range t.flows {
		_ = flow.socket.Close()
	}
}

// flow is the datagrams between one address and port of a pod and one outside.
type flow struct {
	key    flowKey
	socket datagramSocket
	raw    syscall.RawConn
	chunks *chunkPool
	failed func(*flow, error)

	// lastNanoseconds is when the flow's last packet was, since the Unix epoch.
	lastNanoseconds atomic.Int64
	replied         atomic.Bool

	mu   sync.Mutex
	last quote
}

func (f *flow) touch() { f.lastNanoseconds.Store(time.Now().UnixNano()) }

// about is the pod's last packet.
func (f *flow) about() quote {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// send sends a datagram of the pod. One that the socket has no room for is lost, as on
// any link.
func (f *flow) send(payload []byte, about quote) {
	f.touch()
	f.mu.Lock()
	f.last = about
	f.mu.Unlock()
	err := f.write(payload)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		// What an earlier packet met is reported at the next: this one is not sent yet.
		f.failed(f, err)
		_ = f.write(payload)
	}
}

func (f *flow) write(payload []byte) error {
	var failed error
	err := f.raw.Write(func(descriptor uintptr) bool {
		_, failed = unix.Write(int(descriptor), payload)
		return true
	})
	return errors.Join(err, failed)
}

// serve takes what comes back until the flow has been silent for long enough.
func (f *flow) serve(receive func(*flow, []byte)) {
	for {
		if !f.await() {
			return
		}
		chunk, size, err := f.chunks.read(f.raw)
		switch {
		case err == nil:
			f.touch()
			f.replied.Store(true)
			receive(f, chunk[:size])
			f.chunks.put(chunk)
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, unix.ECONNREFUSED), isUnreachable(err):
			// A connected socket reports an ICMP error once, and goes on.
			f.failed(f, err)
		default:
			return
		}
	}
}

func isUnreachable(err error) bool {
	_, known := unreachableCode(err)
	return known
}

// await sets until when to wait for the next datagram; false: the flow has expired.
func (f *flow) await() bool {
	timeout := unrepliedTimeout
	if f.replied.Load() {
		timeout = repliedTimeout
	}
	until := time.Unix(0, f.lastNanoseconds.Load()).Add(timeout)
	return time.Now().Before(until) && f.socket.SetReadDeadline(until) == nil
}
