package forward

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// bufferBytes holds the longest UDP datagram, and a packet of the pod network, whose
// MTU is about as long: with half of it, TCP was half as fast in gVisor.
const bufferBytes = 64 << 10

// buffers are shared by all connections and flows: one is taken only while there is
// data, so that thousands of idle connections cost none.
var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

// transfer copies until from ends; the end is no error.
func transfer(to io.Writer, from net.Conn) error {
	buffer := buffers.Get().(*[bufferBytes]byte)
	defer buffers.Put(buffer)
	for {
		count, err := from.Read(buffer[:])
		if count > 0 {
			if _, err := to.Write(buffer[:count]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// transferTCP is transfer without a buffer while it waits. It does not use io.Copy,
// which calls splice(2) for TCP: through a pipe, and with more system calls a message.
func transferTCP(to io.Writer, from *net.TCPConn) error {
	raw, err := from.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(descriptor uintptr) (finished bool) {
		for {
			var more bool
			if more, failed = passOnce(to, descriptor); !more {
				return !errors.Is(failed, unix.EAGAIN)
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// passOnce passes on what one read gives. It returns no error and false at the end,
// and EAGAIN when there is nothing to read now.
//
// A read that does not fill the buffer is followed by another one, though most of
// these find nothing: the end of the stream may have come together with the data, and
// the poller, being edge-triggered, would not tell again.
func passOnce(to io.Writer, descriptor uintptr) (more bool, err error) {
	buffer := buffers.Get().(*[bufferBytes]byte)
	defer buffers.Put(buffer)
	count, err := readNow(descriptor, buffer[:])
	if err != nil || count == 0 {
		return false, err
	}
	if _, err := to.Write(buffer[:count]); err != nil {
		return false, err
	}
	return true, nil
}

// rawWriter writes to a TCP connection by writeNow. It returns only once all is
// written, and never EAGAIN.
type rawWriter struct{ raw syscall.RawConn }

func (w rawWriter) Write(data []byte) (written int, err error) {
	var failed error
	err = w.raw.Write(func(descriptor uintptr) (finished bool) {
		for written < len(data) {
			var count int
			count, failed = writeNow(descriptor, data[written:])
			if failed != nil {
				return !errors.Is(failed, unix.EAGAIN)
			}
			written += count
		}
		return true
	})
	if err != nil {
		return written, err
	}
	return written, failed
}
