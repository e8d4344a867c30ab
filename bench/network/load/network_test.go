package main

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

const short = 50 * time.Millisecond

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// startServer returns HOST:PORT of a server with a name.
func startServer(t *testing.T, name string) string {
	t.Helper()
	listener := listen(t)
	server := newServer(name)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

func TestRequests(t *testing.T) {
	opened, err := openBusy(startServer(t, ""), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.close()
	for range 2 {
		figures, err := opened.measure(short)
		if err != nil {
			t.Fatal(err)
		}
		if figures.Count == 0 || figures.Failures != 0 || figures.P99Microseconds < figures.P50Microseconds {
			t.Errorf("%+v", figures)
		}
	}
}

func TestRequestsToNobody(t *testing.T) {
	listener := listen(t)
	_ = listener.Close()
	if _, err := openBusy(listener.Addr().String(), 1); err == nil {
		t.Error("no server, and no error")
	}
}

func TestTurnsBeginWithEachTarget(t *testing.T) {
	var measured []string
	err := takeTurns([]string{"a", "b"}, 3, func(target string) error {
		measured = append(measured, target)
		return nil
	})
	if want := []string{"a", "b", "b", "a", "a", "b"}; err != nil || !slices.Equal(measured, want) {
		t.Errorf("%q, %v, want %q", measured, err, want)
	}
	if err := takeTurns(nil, 1, nil); err == nil {
		t.Error("no target, and no error")
	}
}

func TestStream(t *testing.T) {
	listener := listen(t)
	go func() { _ = sendStreams(listener) }()
	figures, err := measureStream(listener.Addr().String(), 0, short)
	if err != nil || figures.Bytes == 0 {
		t.Errorf("%+v, %v", figures, err)
	}
}

func TestHold(t *testing.T) {
	opened, figures := openAll(startServer(t, ""), 50, 8)
	if len(opened) != 50 || figures.Count != 50 || figures.Failures != 0 {
		t.Errorf("opened %d: %+v", len(opened), figures)
	}
	if again := useAll(opened, 8); again.Count != 50 {
		t.Errorf("%+v", again)
	}
	for _, connection := range opened[:20] {
		connection.close()
	}
	if again := useAll(opened, 8); again.Count != 30 || again.Failures != 20 {
		t.Errorf("with 20 closed: %+v", again)
	}
}

func TestWatchTellsChanges(t *testing.T) {
	listener := listen(t)
	server := newServer("first")
	go func() { _ = server.Serve(listener) }()
	ended := make(chan struct{})
	var answers []string
	err := watch(listener.Addr().String(), time.Millisecond, ended, func(seen sighting) error {
		answers = append(answers, seen.Answer)
		if seen.Answer == "" {
			if seen.Failure == "" {
				return errors.New("no answer, and no failure")
			}
			close(ended)
		} else {
			_ = server.Close()
		}
		return nil
	})
	if err != nil || !slices.Equal(answers, []string{"first", ""}) {
		t.Errorf("%q, %v", answers, err)
	}
}

// nameServer answers with a response code and a number of records, which it leaves out.
func nameServer(t *testing.T, code, records byte) string {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		message := make([]byte, longestMessage)
		for {
			length, client, err := socket.ReadFrom(message)
			if err != nil {
				return
			}
			message[2], message[3], message[7] = 0x81, 0x80|code, records
			_, _ = socket.WriteTo(message[:length], client)
		}
	}()
	return socket.LocalAddr().String()
}

func TestLookups(t *testing.T) {
	figures, err := measureLookups(nameServer(t, 0, 1), "web.example.", 2, short)
	if err != nil || figures.Count == 0 || figures.Failures != 0 {
		t.Errorf("%+v, %v", figures, err)
	}
}

func TestLookupsWithoutAnAnswer(t *testing.T) {
	for _, test := range []struct{ code, records byte }{{3, 0}, {0, 0}} {
		figures, err := measureLookups(nameServer(t, test.code, test.records), "web.example.", 1, short)
		if err != nil || figures.Count != 0 || figures.Failures != 1 {
			t.Errorf("response code %d: %+v, %v", test.code, figures, err)
		}
	}
}

func TestQuestion(t *testing.T) {
	question, err := newQuestion("a.bc.")
	if err != nil {
		t.Fatal(err)
	}
	want := "\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + "\x01a\x02bc\x00" + "\x00\x01\x00\x01"
	if string(question.message) != want {
		t.Errorf("%q, want %q", question.message, want)
	}
	for _, name := range []string{"a.bc", ".", "a..bc.", strings.Repeat("x", 64) + "."} {
		if _, err := newQuestion(name); err == nil {
			t.Errorf("%q is taken for a full name", name)
		}
	}
}

func TestKeptOpenConnectsAgainAfterAFailure(t *testing.T) {
	listener := listen(t)
	server := newServer("")
	go func() { _ = server.Serve(listener) }()
	exchange := keptOpen(listener.Addr().String())
	if err := exchange(); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	if err := exchange(); err == nil {
		t.Error("the server is gone, and no error")
	}
	again, err := net.Listen("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	next := newServer("")
	t.Cleanup(func() { _ = next.Close() })
	go func() { _ = next.Serve(again) }()
	if err := exchange(); err != nil {
		t.Error(err)
	}
}
