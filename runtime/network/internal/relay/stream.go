// Package relay carries connections and datagrams between a client and an endpoint.
package relay

import (
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

// bufferBytes is what one read takes at most: more than the longest datagram, and much
// where a system call costs more than copying does.
const bufferBytes = 64 << 10

// buffers are shared by all connections and flows: one that says nothing holds none.
var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

// Streams copies what each of two connections says to the other until both have ended,
// and closes them. The end of one direction is passed on while the other goes on; a
// connection that is reset resets the other. There is no limit on silence.
func Streams(a, b *net.TCPConn) {
	failed := make(chan error, 2)
	go func() { failed <- copyStream(b, a) }()
	go func() { failed <- copyStream(a, b) }()
	for range 2 {
		if err := <-failed; err != nil {
			Reset(a)
			Reset(b)
		}
	}
	// Both are closed already if one has failed.
	_ = a.Close()
	_ = b.Close()
}

// Reset closes a connection so that its peer learns that something went wrong.
func Reset(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	_ = connection.Close()
}

// copyStream returns nil when from has said all and to was told so.
func copyStream(to, from *net.TCPConn) error {
	raw, err := from.SyscallConn()
	if err != nil {
		return err
	}
	for {
		buffer, length, err := readSome(raw)
		if err != nil {
			return err
		}
		if length == 0 {
			buffers.Put(buffer)
			return to.CloseWrite()
		}
		// io.Copy would move the data by splice(2) through a pipe: twice the system calls.
		_, err = to.Write(buffer[:length])
		buffers.Put(buffer)
		if err != nil {
			return err
		}
	}
}

// rawReader is the part of syscall.RawConn that reads.
type rawReader interface {
	Read(func(fd uintptr) (done bool)) error
}

// readSome waits until there is something to read, and takes a buffer only then. The
// buffer is the caller's to put back.
func readSome(raw rawReader) (buffer *[bufferBytes]byte, length int, err error) {
	var readError error
	err = raw.Read(func(fd uintptr) bool {
		buffer = buffers.Get().(*[bufferBytes]byte)
		length, readError = ignoringInterrupts(func() (int, error) { return unix.Read(int(fd), buffer[:]) })
		if readError == nil {
			return true
		}
		buffers.Put(buffer)
		return !errors.Is(readError, unix.EAGAIN)
	})
	return buffer, length, errors.Join(err, readError)
}

func ignoringInterrupts(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// ended says whether an error only tells that a connection or socket is at its end.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
