package gateway

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// chunkBytes is how much is copied at a time.
const chunkBytes = 64 << 10

type chunk [chunkBytes]byte

// chunkPool has the buffers of flows that have something to copy at the moment. Flows
// that wait hold none.
type chunkPool struct {
	pool sync.Pool
}

func newChunkPool() *chunkPool {
	return &chunkPool{pool: sync.Pool{New: func() any { return new(chunk) }}}
}

func (p *chunkPool) get() *chunk { return p.pool.Get().(*chunk) }

func (p *chunkPool) put(c *chunk) { p.pool.Put(c) }

// rawConn is how a connection of package net or os gives out its descriptor.
type rawConn interface {
	Read(attempt func(descriptor uintptr) (done bool)) error
}

// read waits until there is something to read, and takes a buffer only then. The caller
// puts the chunk back.
func (p *chunkPool) read(conn rawConn) (*chunk, int, error) {
	var (
		taken  *chunk
		size   int
		failed error
	)
	waited := conn.Read(func(descriptor uintptr) bool {
		taken = p.get()
		size, failed = readNow(int(descriptor), taken[:])
		if failed != nil {
			p.put(taken)
		}
		return failed != unix.EAGAIN
	})
	if err := errors.Join(waited, failed); err != nil {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	return taken, size, nil
}

func readNow(descriptor int, buffer []byte) (int, error) {
	for {
		size, err := unix.Read(descriptor, buffer)
		if err != unix.EINTR {
			return size, err
		}
	}
}
