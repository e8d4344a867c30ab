package forward

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// acceptPause is how long a listening socket rests when the process has no descriptor
// or memory left for another client.
const acceptPause = 50 * time.Millisecond

// ServeTCP accepts connections and splices each to a backend. Once the listener is
// closed it waits for the connections to end. The end of the context resets them, but
// does not close the listener.
func (f *Forwarder) ServeTCP(ctx context.Context, listener *net.TCPListener, backends Backends) {
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		client, err := listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			f.logger.Warn("a connection can not be accepted", slog.Any("listener", listener.Addr()), slog.Any("error", err))
			if !pause(ctx, acceptPause) {
				return
			}
			continue
		}
		connections.Go(func() { f.connect(ctx, client, backends) })
	}
}

// pause returns false when the context ends first.
func pause(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// connect finds a backend for a client that is connected already: when none can be
// had, all that is left is to reset the client.
func (f *Forwarder) connect(ctx context.Context, client *net.TCPConn, backends Backends) {
	backend, err := f.dialAny(ctx, clientOf(client), backends)
	if err != nil {
		f.logger.Debug("a client is not served", slog.Any("client", client.RemoteAddr()), slog.Any("frontend", client.LocalAddr()), slog.Any("error", err))
		reset(client)
		return
	}
	tune(client)
	if tcp, ok := backend.(*net.TCPConn); ok {
		tune(tcp)
	}
	Splice(ctx, client, backend)
}

var errNoBackend = errors.New("no backend may serve the client")

// dialAny tries one other backend when the first fails: an endpoint that has just
// died is named by the API for some seconds more.
func (f *Forwarder) dialAny(ctx context.Context, client Client, backends Backends) (net.Conn, error) {
	first, ok := backends.Pick(client)
	if !ok {
		return nil, errNoBackend
	}
	connection, err := f.dialOne(ctx, first)
	if err == nil {
		return connection, nil
	}
	second, ok := backends.PickOther(client, first)
	if !ok {
		return nil, err
	}
	connection, again := f.dialOne(ctx, second)
	if again != nil {
		return nil, errors.Join(err, again)
	}
	return connection, nil
}

func (f *Forwarder) dialOne(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	return f.dial(ctx, "tcp4", to)
}

// socketBufferBytes is how much may be under way to or from one socket. It bounds what
// slow peers make the kernel hold, and what is in the queues of veth pairs: where a full
// one blocks its sender (gVisor of 2024-07), two pairs that wait for each other over the
// bridge stop for good. In gVisor a larger one was no faster.
const socketBufferBytes = 128 << 10

// tune sets a connection's keep-alive and buffers.
//
// Keep-alive goes by the kernel's own intervals (two hours). With Go's default, all
// connections that were opened together would send every 15 seconds at the same time,
// and setting it takes four system calls instead of one.
func tune(connection *net.TCPConn) {
	raw, err := connection.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(descriptor uintptr) {
		for _, option := range []struct{ name, value int }{
			{unix.SO_KEEPALIVE, 1},
			{unix.SO_RCVBUF, socketBufferBytes},
			{unix.SO_SNDBUF, socketBufferBytes},
		} {
			// A connection works without it all the same.
			_ = unix.SetsockoptInt(int(descriptor), unix.SOL_SOCKET, option.name, option.value)
		}
	})
}

// clientOf is who has connected.
func clientOf(connection *net.TCPConn) Client {
	return Client{Address: hostOf(connection.RemoteAddr()), At: hostOf(connection.LocalAddr())}
}

func hostOf(end net.Addr) netip.Addr {
	address, ok := end.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return address.AddrPort().Addr().Unmap()
}
