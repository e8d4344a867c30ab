// Package controltest speaks to a supervisor's control socket in tests.
package controltest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
)

// limit is how long a test waits for a line.
const limit = 20 * time.Second

// Stream is the answer to one request.
type Stream struct {
	t          *testing.T
	connection net.Conn
	lines      *bufio.Scanner
}

// Open sends a request to the socket at path. The connection is closed with the test.
func Open(t *testing.T, path string, request any) *Stream {
	t.Helper()
	connection, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(connection, "%s\n", line); err != nil {
		t.Fatal(err)
	}
	return &Stream{t: t, connection: connection, lines: bufio.NewScanner(connection)}
}

// Status asks for the status.
func Status(t *testing.T, path string) control.Status {
	t.Helper()
	stream := Open(t, path, control.Request{Command: "status"})
	var status control.Status
	if !stream.Next(&status) {
		t.Fatal("no answer to the command status")
	}
	return status
}

// Next decodes the next line, and reports false at the stream's end.
func (s *Stream) Next(value any) bool {
	s.t.Helper()
	if err := s.connection.SetReadDeadline(time.Now().Add(limit)); err != nil {
		s.t.Fatal(err)
	}
	if !s.lines.Scan() {
		if err := s.lines.Err(); err != nil {
			s.t.Fatalf("wait for a line of the control socket: %v", err)
		}
		return false
	}
	if err := json.Unmarshal(s.lines.Bytes(), value); err != nil {
		s.t.Fatalf("%q: %v", s.lines.Text(), err)
	}
	return true
}

// Until returns the events up to the first that matches, which is the last of them.
// It fails the test when the stream ends before.
func (s *Stream) Until(what string, match func(control.Event) bool) []control.Event {
	s.t.Helper()
	var events []control.Event
	for {
		var event control.Event
		if !s.Next(&event) {
			s.t.Fatalf("the events ended before %s: %+v", what, events)
		}
		events = append(events, event)
		if match(event) {
			return events
		}
	}
}

// Rest returns all events up to the stream's end.
func (s *Stream) Rest() []control.Event {
	s.t.Helper()
	var events []control.Event
	for {
		var event control.Event
		if !s.Next(&event) {
			return events
		}
		events = append(events, event)
	}
}
