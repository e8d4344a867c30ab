package supervise

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
)

// recorder is a Sink that tests wait on.
type recorder struct {
	mu     sync.Mutex
	events []control.Event
}

func (r *recorder) sink(role string, event control.Event) {
	event.Role = role
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

func (r *recorder) all() []control.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// await returns the first event that matches.
func (r *recorder) await(t *testing.T, what string, match func(control.Event) bool) control.Event {
	t.Helper()
	var found control.Event
	until(t, what, func() bool {
		events := r.all()
		i := slices.IndexFunc(events, match)
		if i >= 0 {
			found = events[i]
		}
		return i >= 0
	})
	return found
}

func inState(state control.State) func(control.Event) bool {
	return func(event control.Event) bool { return event.Type == control.Role && event.State == state }
}

// keep starts a role that plays act, with changes to its description.
func keep(t *testing.T, act string, changes ...func(*Role)) (*Keeper, *recorder) {
	t.Helper()
	argv, env := program(act)
	role := Role{Name: "node", Argv: argv, Env: env, Log: filepath.Join(t.TempDir(), "node.log")}
	for _, change := range changes {
		change(&role)
	}
	events := &recorder{}
	keeper, err := Keep(spawner(), role, events.sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keeper.Stop(0, limit) })
	return keeper, events
}

func TestKeepStartsAgainWithBackOff(t *testing.T) {
	keeper, events := keep(t, "fail")
	events.await(t, "the third pause", func(event control.Event) bool {
		return event.State == control.BackingOff && *event.Restarts == 3
	})
	if err := keeper.Stop(0, limit); err != nil {
		t.Error(err)
	}
	var got []string
	for _, event := range events.all() {
		line := string(event.State)
		if event.State == control.Exited {
			line += fmt.Sprintf(" %d %q", *event.ExitCode, event.Message)
		}
		if event.DelayMs != nil {
			line += fmt.Sprintf(" %dms", *event.DelayMs)
		}
		if event.Restarts != nil {
			line += fmt.Sprintf(" #%d", *event.Restarts)
		}
		got = append(got, line)
	}
	want := `started #0
exited 3 "last words" #1
backing-off 100ms #1
started #1
exited 3 "last words" #2
backing-off 200ms #2
started #2
exited 3 "last words" #3
backing-off 400ms #3
stopped`
	if strings.Join(got, "\n") != want {
		t.Errorf("events are\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	log, err := os.ReadFile(keeper.role.Log)
	if err != nil {
		t.Fatal(err)
	}
	if string(log) != strings.Repeat("to stdout\nlast words\n", 3) {
		t.Errorf("the log is %q", log)
	}
}

func TestExitIsExplained(t *testing.T) {
	withEvents := func(role *Role) { role.Events = true }
	tests := []struct {
		name, act     string
		change        func(*Role)
		code          int
		service, text string
	}{
		{"panic", "panic", withEvents, 2, "", "panic: boom"},
		{"panic of a role that is one service", "panic", func(role *Role) { role.Service = "containerd" }, 2, "containerd", "panic: boom"},
		{"fatal event", "fatal", withEvents, 1, "kubelet", "no cgroup"},
		{"exit while one service starts", "exit-starting kubelet", withEvents, 1, "kubelet", "no port"},
		{"exit while two services start", "exit-starting kubelet proxy", withEvents, 1, "", "no port"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, events := keep(t, test.act, test.change)
			exit := events.await(t, "the exit", inState(control.Exited))
			if *exit.ExitCode != test.code || exit.Service != test.service || exit.Message != test.text {
				t.Errorf("exit is code %d, service %q, message %q", *exit.ExitCode, exit.Service, exit.Message)
			}
		})
	}
}

func TestProgramThatCanNotBeStarted(t *testing.T) {
	_, events := keep(t, "", func(role *Role) { role.Argv = []string{"/does/not/exist"} })
	pause := events.await(t, "the first pause", inState(control.BackingOff))
	if !strings.Contains(pause.Message, "/does/not/exist") {
		t.Errorf("message is %q", pause.Message)
	}
}

func TestEventsKeepTheNameTheyCarry(t *testing.T) {
	_, events := keep(t, "fatal", func(role *Role) { role.Events = true })
	hello := events.await(t, "the hello", func(event control.Event) bool { return event.Type == control.Hello })
	if hello.Role != "name of its own" {
		t.Errorf("role is %q", hello.Role)
	}
}

// awaitOutput waits until the role's program has got so far as to print.
func awaitOutput(t *testing.T, keeper *Keeper) {
	t.Helper()
	until(t, "the program's output", func() bool {
		info, err := os.Stat(keeper.role.Log)
		return err == nil && info.Size() > 0
	})
}

func TestKilledProcessIsReplaced(t *testing.T) {
	keeper, events := keep(t, "sleep")
	first := events.await(t, "the start", inState(control.Started))
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	exit := events.await(t, "the exit", inState(control.Exited))
	if exit.Signal != "killed" || exit.ExitCode != nil {
		t.Errorf("exit is %+v", exit)
	}
	second := events.await(t, "the second start", func(event control.Event) bool {
		return event.State == control.Started && event.PID != first.PID
	})
	if err := keeper.Stop(0, limit); err != nil {
		t.Error(err)
	}
	if isAlive(second.PID) {
		t.Error("the process is alive after Stop")
	}
	if stopped := events.await(t, "the stop", inState(control.Stopped)); stopped.Signal != "terminated" {
		t.Errorf("the process was stopped by %q", stopped.Signal)
	}
}

func TestRoleHasAProcessGroupOfItsOwn(t *testing.T) {
	_, events := keep(t, "sleep")
	started := events.await(t, "the start", inState(control.Started))
	group, err := syscall.Getpgid(started.PID)
	if err != nil {
		t.Fatal(err)
	}
	if group != started.PID {
		t.Errorf("process %d is in the group %d", started.PID, group)
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	keeper, events := keep(t, "stubborn")
	awaitOutput(t, keeper)
	err := keeper.Stop(0, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "did not end within 50ms") {
		t.Errorf("error is %v", err)
	}
	if stopped := events.await(t, "the stop", inState(control.Stopped)); stopped.Signal != "killed" {
		t.Errorf("the process was stopped by %q", stopped.Signal)
	}
	if err := keeper.Stop(0, limit); err != nil {
		t.Errorf("stopping again: %v", err)
	}
}

func TestStopCommandCarriesTheGrace(t *testing.T) {
	keeper, events := keep(t, "command", func(role *Role) { role.Events, role.Commands = true, true })
	events.await(t, "the start", inState(control.Started))
	if err := keeper.Stop(1500*time.Millisecond, limit); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(keeper.role.Log)
	if err != nil {
		t.Fatal(err)
	}
	if string(log) != "1.5s <nil>\n" {
		t.Errorf("the program read %q", log)
	}
}

func TestRoleIsReadyWhenItsSocketAnswers(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	_, events := keep(t, "sleep", func(role *Role) { role.Socket, role.Service = socket, "containerd" })
	events.await(t, "the service's start", func(event control.Event) bool {
		return event.Type == control.Service && event.State == control.Starting
	})
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	events.await(t, "the role to be ready", func(event control.Event) bool { return event.Type == control.RoleReady })
	for _, event := range events.all() {
		if event.Type == control.Service && event.State == control.Ready && (event.Service != "containerd" || event.ElapsedMs == nil) {
			t.Errorf("event is %+v", event)
		}
	}
}

// A descendant that keeps the pipes open must not hide the end of the role.
func TestExitIsSeenWhileADescendantLives(t *testing.T) {
	_, events := keep(t, "", func(role *Role) {
		role.Argv = []string{"/bin/sh", "-c", "sleep 600 & echo $!; exit 4"}
		role.Events = true
	})
	exit := events.await(t, "the exit", inState(control.Exited))
	if *exit.ExitCode != 4 {
		t.Errorf("exit code is %d", *exit.ExitCode)
	}
	var descendant int
	if _, err := fmt.Sscan(exit.Message, &descendant); err != nil {
		t.Fatalf("the program printed %q", exit.Message)
	}
	if err := syscall.Kill(descendant, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestLogIsPutAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	log, err := openLogFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log.sizeLimit = 20
	for i := range 7 {
		if _, err := fmt.Fprintf(log, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "line 6\n", path + ".1": "line 4\nline 5\n"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(content) != want {
			t.Errorf("%s is %q, want %q", filepath.Base(name), content, want)
		}
	}
}
