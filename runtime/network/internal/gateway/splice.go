package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// podConn is the pod's side of a connection.
type podConn struct {
	endpoint tcpip.Endpoint
	queue    *waiter.Queue
	chunks   *chunkPool
}

// splice copies both ways until both sides have ended. An end of one side is passed on
// while the other goes on; a reset ends both.
func splice(pod *podConn, server *net.TCPConn) {
	var both sync.WaitGroup
	abort := func() {
		pod.endpoint.Abort()
		reset(server)
	}
	both.Go(func() {
		if err := pod.copyTo(server); err != nil {
			abort()
		}
	})
	if err := pod.copyFrom(server); err != nil {
		abort()
	}
	both.Wait()
	pod.endpoint.Close()
	_ = server.Close()
}

// reset closes a connection so that its peer sees a reset.
func reset(conn *net.TCPConn) {
	// Both fail only on a connection that is closed already.
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// copyTo copies what the pod sends, and its end.
func (p *podConn) copyTo(server *net.TCPConn) error {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp | waiter.EventErr)
	p.queue.EventRegister(&entry)
	defer p.queue.EventUnregister(&entry)
	for {
		err := p.forwardTo(server)
		if errors.Is(err, unix.EWOULDBLOCK) {
			<-ready
			continue
		}
		if errors.Is(err, io.EOF) {
			return server.CloseWrite()
		}
		if err != nil {
			return err
		}
	}
}

// forwardTo copies what the pod has sent so far, a chunk at most. It returns EWOULDBLOCK
// when there is nothing, and io.EOF at the end.
func (p *podConn) forwardTo(server *net.TCPConn) error {
	chunk := p.chunks.get()
	defer p.chunks.put(chunk)
	writer := tcpip.SliceWriter(chunk[:])
	result, err := p.endpoint.Read(&writer, tcpip.ReadOptions{})
	switch err.(type) {
	case nil:
	case *tcpip.ErrWouldBlock:
		return unix.EWOULDBLOCK
	case *tcpip.ErrClosedForReceive:
		return io.EOF
	default:
		return fmt.Errorf("read from the pod: %s", err)
	}
	p.endpoint.ModerateRecvBuf(result.Count)
	if _, err := server.Write(chunk[:result.Count]); err != nil {
		return fmt.Errorf("write to the server: %w", err)
	}
	return nil
}

// copyFrom copies what the server sends, and its end.
func (p *podConn) copyFrom(server *net.TCPConn) error {
	raw, err := server.SyscallConn()
	if err != nil {
		return fmt.Errorf("connection of the server: %w", err)
	}
	entry, ready := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	p.queue.EventRegister(&entry)
	defer p.queue.EventUnregister(&entry)
	for {
		err := p.forwardFrom(raw, ready)
		if errors.Is(err, io.EOF) {
			if err := p.endpoint.Shutdown(tcpip.ShutdownWrite); err != nil {
				return fmt.Errorf("end the pod's connection: %s", err)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// forwardFrom waits for something from the server and copies it, a chunk at most. It
// returns io.EOF at the end.
func (p *podConn) forwardFrom(server rawConn, ready <-chan struct{}) error {
	chunk, size, err := p.chunks.read(server)
	if err != nil {
		return err
	}
	defer p.chunks.put(chunk)
	if size == 0 {
		return io.EOF
	}
	return p.write(chunk[:size], ready)
}

func (p *podConn) write(data []byte, ready <-chan struct{}) error {
	reader := bytes.NewReader(data)
	for reader.Len() > 0 {
		_, err := p.endpoint.Write(reader, tcpip.WriteOptions{})
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			<-ready
		default:
			return fmt.Errorf("write to the pod: %s", err)
		}
	}
	return nil
}
