package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// requestLimit is how long a client may take to send its request.
	requestLimit = 10 * time.Second
	// writeLimit is how long a client may leave an answer unread.
	writeLimit = 10 * time.Second
	// drainLimit is how long Close waits for clients to read the last events.
	drainLimit = time.Second
	// DefaultGrace is given to pods when a request to stop names none.
	DefaultGrace = 30 * time.Second
)

// Request is the one line that a client sends on a connection.
type Request struct {
	// Command is "status": the answer is one line, a Status; "events": all events that
	// are kept and then each as it comes; or "stop": events until the supervisor ends.
	Command string `json:"command"`
	// GraceMs are the milliseconds that pods have to end, for "stop".
	GraceMs *int64 `json:"graceMs,omitempty"`
}

// refusal answers a request that is not understood.
type refusal struct {
	Error string `json:"error"`
}

// Server answers at a supervisor's control socket.
type Server struct {
	journal  *Journal
	stop     func(grace time.Duration)
	listener *net.UnixListener
	path     string
	// ctx ends when the clients are to be sent what is left and disconnected.
	ctx     context.Context
	cancel  context.CancelFunc
	clients sync.WaitGroup
}

// Listen makes the control socket, mode 0600, in place of one that a dead supervisor
// left, and serves it. The caller has excluded other supervisors. A request to stop
// calls stop, which must not block.
func Listen(path string, journal *Journal, stop func(grace time.Duration)) (*Server, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove a stale control socket: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	// A socket that was removed, and perhaps made anew by another supervisor, is not this one's to remove.
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), listener.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{journal: journal, stop: stop, listener: listener, path: path, ctx: ctx, cancel: cancel}
	s.clients.Go(s.accept)
	return s, nil
}

// Withdraw removes the socket, so that there are no new clients. Those that are
// connected still get events.
func (s *Server) Withdraw() error {
	err := os.Remove(s.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, s.listener.Close())
}

// Close sends the remaining events to the clients and closes their connections. It
// is called after Withdraw.
func (s *Server) Close() {
	s.cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.clients.Wait()
	}()
	select {
	case <-drained:
	case <-time.After(drainLimit):
	}
}

func (s *Server) accept() {
	for {
		connection, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors, most likely: connections that end make room.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.clients.Go(func() {
			defer connection.Close()
			// A client that goes away is no error of the server's.
			_ = s.answer(connection)
		})
	}
}

func (s *Server) answer(connection net.Conn) error {
	if err := connection.SetReadDeadline(time.Now().Add(requestLimit)); err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(connection, maxLineBytes)).ReadBytes('\n')
	if err != nil {
		return err
	}
	var request Request
	if err := json.Unmarshal(line, &request); err != nil {
		return writeLine(connection, refusal{Error: "the request is not a line of JSON: " + err.Error()})
	}
	switch request.Command {
	case "status":
		return writeLine(connection, s.journal.Status())
	case "events":
		return s.follow(connection, 0)
	case "stop":
		grace := DefaultGrace
		if request.GraceMs != nil {
			grace = time.Duration(max(*request.GraceMs, 0)) * time.Millisecond
		}
		position := s.journal.End()
		s.stop(grace)
		return s.follow(connection, position)
	}
	return writeLine(connection, refusal{Error: fmt.Sprintf("unknown command %q", request.Command)})
}

// follow writes events from a position on until the client leaves or the server closes.
func (s *Server) follow(connection net.Conn, position int) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	if err := connection.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	go func() {
		// A client sends nothing more: what ends this read is that it has left.
		_, _ = io.Copy(io.Discard, connection)
		cancel()
	}()
	for {
		events, next, err := s.journal.Next(ctx, position)
		if err != nil {
			return err
		}
		for _, event := range events {
			if err := writeLine(connection, event); err != nil {
				return err
			}
		}
		position = next
	}
}

func writeLine(connection net.Conn, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := connection.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	_, err = connection.Write(append(line, '\n'))
	return err
}
