package unpackstream

import (
	"io"
	"sync"
)

const (
	// chunkBytes is how much is read at once.
	chunkBytes = 1 << 20
	// chunks is how many of them there are: what is read, what is waiting, what is used.
	chunks = 4
)

// readAhead reads a stream before it is asked to, in a goroutine of its own.
type readAhead struct {
	full chan chunk
	free chan []byte
	done chan struct{}
	once sync.Once

	current chunk
	rest    []byte
}

// chunk is a part of the stream, with the error that follows it.
type chunk struct {
	buffer []byte
	filled int
	err    error
}

func newReadAhead(from io.Reader) *readAhead {
	r := &readAhead{full: make(chan chunk, chunks), free: make(chan []byte, chunks), done: make(chan struct{})}
	for range chunks {
		r.free <- make([]byte, chunkBytes)
	}
	go r.fill(from)
	return r
}

func (r *readAhead) fill(from io.Reader) {
	defer close(r.full)
	for {
		var buffer []byte
		select {
		case buffer = <-r.free:
		case <-r.done:
			return
		}
		next := chunk{buffer: buffer}
		for next.filled < len(buffer) && next.err == nil {
			var n int
			n, next.err = from.Read(buffer[next.filled:])
			next.filled += n
		}
		select {
		case r.full <- next:
		case <-r.done:
			return
		}
		if next.err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (r *readAhead) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.current.err != nil {
			return 0, r.current.err
		}
		if r.current.buffer != nil {
			r.free <- r.current.buffer
		}
		next, open := <-r.full
		if !open {
			return 0, io.ErrClosedPipe
		}
		r.current, r.rest = next, next.buffer[:next.filled]
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// stop ends the reading, and returns when the stream is not read any more. Read may not be
// called afterwards.
func (r *readAhead) stop() {
	r.once.Do(func() {
		close(r.done)
		for range r.full {
		}
	})
}
