package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// Splice passes on what comes from either side until both have ended, and closes
// both. The end of one direction is passed on as such (half-close). A connection that
// breaks, or the end of the context, resets both. There is no limit for silence.
func Splice(ctx context.Context, client, backend net.Conn) {
	var once sync.Once
	abort := func() {
		once.Do(func() {
			reset(client)
			reset(backend)
		})
	}
	stop := context.AfterFunc(ctx, abort)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(client, backend, abort)
	}()
	pass(backend, client, abort)
	<-done
	// After the end in both directions nothing is left to lose.
	_ = client.Close()
	_ = backend.Close()
}

// pass copies one direction to its end.
func pass(to, from net.Conn, abort func()) {
	err := copyStream(to, from)
	if err == nil {
		err = closeWrite(to)
	}
	if err != nil {
		abort()
	}
}

var errNoHalfClose = errors.New("the connection can not be closed in one direction")

func closeWrite(to net.Conn) error {
	half, ok := to.(interface{ CloseWrite() error })
	if !ok {
		return errNoHalfClose
	}
	return half.CloseWrite()
}

// reset closes a connection so that its peer sees it broken, not ended.
func reset(connection net.Conn) {
	if lingering, ok := connection.(interface{ SetLinger(seconds int) error }); ok {
		// Without it the peer is told an orderly end, which is worse but no leak.
		_ = lingering.SetLinger(0)
	}
	_ = connection.Close()
}

// copyStream copies one direction until from ends, with what is fastest for the two.
func copyStream(to, from net.Conn) error {
	var sink io.Writer = to
	if tcp, ok := to.(*net.TCPConn); ok {
		raw, err := tcp.SyscallConn()
		if err != nil {
			return err
		}
		sink = rawWriter{raw}
	}
	if tcp, ok := from.(*net.TCPConn); ok {
		return transferTCP(sink, tcp)
	}
	return transfer(sink, from)
}
