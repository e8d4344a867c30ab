package control_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
)

func pointer[T any](value T) *T { return &value }

func TestStatusFollowsEvents(t *testing.T) {
	journal := control.NewJournal(control.Status{Version: "1"})
	started := func(pid, restarts int) control.Event {
		return control.Event{Type: control.Role, State: control.Started, PID: pid, Restarts: &restarts}
	}
	ready := control.ServiceEvent("kubelet", control.Ready, 5*time.Millisecond, "")
	steps := []struct {
		name  string
		event control.Event
		want  string
	}{
		{"started", started(7, 0), "running pid=7 ready=false restarts=0 services=0"},
		{"a service starts", control.Event{Type: control.Service, Service: "kubelet", State: control.Starting}, "running pid=7 ready=false restarts=0 services=1"},
		{"a service is ready", ready, "running pid=7 ready=false restarts=0 services=1"},
		{"all are ready", control.Event{Type: control.RoleReady}, "running pid=7 ready=true restarts=0 services=1"},
		{"exited", control.Event{Type: control.Role, State: control.Exited, ExitCode: pointer(2), Service: "kubelet", Message: "panic", Restarts: pointer(1)}, "stopped pid=0 ready=false restarts=1 services=1 last=2 kubelet panic"},
		{"backs off", control.Event{Type: control.Role, State: control.BackingOff, Restarts: pointer(1)}, "backing-off pid=0 ready=false restarts=1 services=1 last=2 kubelet panic"},
		{"started again", started(9, 1), "running pid=9 ready=false restarts=1 services=0 last=2 kubelet panic"},
		{"stopped", control.Event{Type: control.Role, State: control.Stopped, ExitCode: pointer(0)}, "stopped pid=0 ready=false restarts=1 services=0 last=0  "},
	}
	for _, step := range steps {
		journal.Add("node", step.event)
		roles := journal.Status().Roles
		if len(roles) != 1 {
			t.Fatalf("%s: roles are %+v", step.name, roles)
		}
		r := roles[0]
		got := fmt.Sprintf("%s pid=%d ready=%t restarts=%d services=%d", r.State, r.PID, r.Ready, r.Restarts, len(r.Services))
		if r.LastExit != nil {
			got += fmt.Sprintf(" last=%d %s %s", *r.LastExit.ExitCode, r.LastExit.Service, r.LastExit.Message)
		}
		if got != step.want {
			t.Errorf("%s: status is %q, want %q", step.name, got, step.want)
		}
	}
}

func TestStatusIsACopy(t *testing.T) {
	journal := control.NewJournal(control.Status{})
	journal.Add("node", control.Event{Type: control.Service, Service: "kubelet", State: control.Starting})
	status := journal.Status()
	journal.Add("node", control.Event{Type: control.Service, Service: "kubelet", State: control.Ready})
	if state := status.Roles[0].Services["kubelet"].State; state != control.Starting {
		t.Errorf("a status that was taken before has changed to %s", state)
	}
}

func TestJournalKeepsTheLatest(t *testing.T) {
	journal := control.NewJournal(control.Status{})
	for i := range 1500 {
		journal.Add("node", control.Event{Type: control.Service, Service: fmt.Sprint(i)})
	}
	events, next, err := journal.Next(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 1000 || events[0].Service != "500" || events[999].Service != "1499" || next != 1500 {
		t.Errorf("kept %d events, %s to %s, next %d", len(events), events[0].Service, events[len(events)-1].Service, next)
	}
	events, _, err = journal.Next(t.Context(), 1499)
	if err != nil || len(events) != 1 {
		t.Errorf("the last event alone: %d events, %v", len(events), err)
	}
}

func TestNextGivesWhatCameBeforeTheEnd(t *testing.T) {
	journal := control.NewJournal(control.Status{})
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	journal.Add("node", control.Event{Type: control.RoleReady})
	cancel(over)
	events, next, err := journal.Next(ctx, 0)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if _, _, err := journal.Next(ctx, next); !errors.Is(err, over) {
		t.Errorf("error is %v", err)
	}
}

func TestReadEventsSkipsWhatIsNone(t *testing.T) {
	stream := "\nnonsense\n{}\n" + `{"type":"ready"}` + "\n" +
		`{"type":"hello","program":"` + strings.Repeat("x", 200_000) + `"}` + "\n" +
		`{"type":"fatal","message":"end"}` + "\n" + `{"type":"ready"`
	var types []control.Type
	err := control.ReadEvents(strings.NewReader(stream), func(event control.Event) { types = append(types, event.Type) })
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(types) != "[ready fatal]" {
		t.Errorf("events are %v", types)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	event := control.FatalEvent("kubelet", errors.New(strings.Repeat("x", 100_000)))
	if len(event.Message) > 5000 {
		t.Errorf("the message has %d bytes", len(event.Message))
	}
}
