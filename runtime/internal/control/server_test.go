package control_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/control/controltest"
)

type supervisor struct {
	path    string
	journal *control.Journal
	server  *control.Server
	stops   chan time.Duration
}

func listen(t *testing.T) *supervisor {
	t.Helper()
	s := &supervisor{
		path:    filepath.Join(t.TempDir(), "control.sock"),
		journal: control.NewJournal(control.Status{Version: "1.2.3", PID: 42}),
		stops:   make(chan time.Duration, 10),
	}
	var err error
	s.server, err = control.Listen(s.path, s.journal, func(grace time.Duration) { s.stops <- grace })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.server.Withdraw()
		s.server.Close()
	})
	return s
}

func named(service string) func(control.Event) bool {
	return func(event control.Event) bool { return event.Service == service }
}

func TestServerTellsTheStatus(t *testing.T) {
	s := listen(t)
	s.journal.Add("node", control.Event{Type: control.RoleReady})
	status := controltest.Status(t, s.path)
	if status.Version != "1.2.3" || status.PID != 42 || len(status.Roles) != 1 || !status.Roles[0].Ready {
		t.Errorf("status is %+v", status)
	}
}

func TestServerReplaysEventsAndFollows(t *testing.T) {
	s := listen(t)
	s.journal.Add("node", control.Event{Type: control.Service, Service: "before"})
	stream := controltest.Open(t, s.path, control.Request{Command: "events"})
	replayed := stream.Until("the replayed event", named("before"))
	s.journal.Add("containerd", control.Event{Type: control.Service, Service: "after"})
	followed := stream.Until("the new event", named("after"))
	if len(replayed) != 1 || len(followed) != 1 || followed[0].Role != "containerd" {
		t.Errorf("events are %+v and %+v", replayed, followed)
	}
	if _, err := time.Parse(time.RFC3339Nano, followed[0].Time); err != nil {
		t.Error(err)
	}
}

func TestServerStopsAndStreamsUntilTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		request control.Request
		want    time.Duration
	}{
		"with a grace":   {control.Request{Command: "stop", GraceMs: pointer(int64(1500))}, 1500 * time.Millisecond},
		"without grace":  {control.Request{Command: "stop", GraceMs: pointer(int64(0))}, 0},
		"negative grace": {control.Request{Command: "stop", GraceMs: pointer(int64(-1))}, 0},
		"default grace":  {control.Request{Command: "stop"}, control.DefaultGrace},
	} {
		t.Run(name, func(t *testing.T) {
			s := listen(t)
			s.journal.Add("node", control.Event{Type: control.Service, Service: "long ago"})
			stream := controltest.Open(t, s.path, test.request)
			if grace := <-s.stops; grace != test.want {
				t.Errorf("grace is %s, want %s", grace, test.want)
			}
			s.journal.Add("supervisor", control.Event{Type: control.Stopping})
			if err := s.server.Withdraw(); err != nil {
				t.Fatal(err)
			}
			s.journal.Add("supervisor", control.Event{Type: control.AllStopped})
			s.server.Close()
			events := stream.Rest()
			if len(events) != 2 || events[0].Type != control.Stopping || events[1].Type != control.AllStopped {
				t.Errorf("events are %+v", events)
			}
			if _, err := os.Stat(s.path); !os.IsNotExist(err) {
				t.Errorf("the socket is still there: %v", err)
			}
		})
	}
}

func TestServerRefusesWhatItDoesNotKnow(t *testing.T) {
	s := listen(t)
	for name, request := range map[string]any{
		"an unknown command": map[string]string{"command": "dance"},
		"no object":          []string{"status"},
	} {
		t.Run(name, func(t *testing.T) {
			var answer struct{ Error string }
			if !controltest.Open(t, s.path, request).Next(&answer) || answer.Error == "" {
				t.Errorf("answer is %+v", answer)
			}
		})
	}
}

func TestServerReplacesAStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := control.Listen(path, control.NewJournal(control.Status{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %o", info.Mode().Perm())
	}
	if err := server.Withdraw(); err != nil {
		t.Error(err)
	}
	server.Close()
}

// A client that reads nothing may not keep others from being served.
func TestServerOutlastsASilentClient(t *testing.T) {
	s := listen(t)
	controltest.Open(t, s.path, control.Request{Command: "events"})
	for range 5000 {
		s.journal.Add("node", control.Event{Type: control.Service, Service: "kubelet", Message: "a line of some length to fill the socket's buffer"})
	}
	s.journal.Add("node", control.Event{Type: control.Service, Service: "last"})
	controltest.Open(t, s.path, control.Request{Command: "events"}).Until("the last event", named("last"))
}
