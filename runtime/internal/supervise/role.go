package supervise

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"sandkube.dev/runtime/internal/control"
)

// Role describes a process that is to run until it is stopped.
type Role struct {
	Name string
	// Argv has the absolute path of the program first.
	Argv []string
	Env  []string
	// Log is the path of the file that gets stdout and stderr.
	Log string
	// Events gives the process the write end of an event pipe as descriptor 3. A program
	// that does not know of it would hand it down to its children.
	Events bool
	// Commands gives the process, as descriptor 4, the read end of a pipe on which it is
	// told to stop (StopCommand), and which ends when its supervisor does. It needs Events.
	Commands bool
	// Cloneflags are the namespaces that the process is the first one of.
	Cloneflags uintptr
	// Socket, if set, is a unix socket that a program without events listens at when it is ready.
	Socket string
	// Service, if set, is the one service that the role consists of.
	Service string
	// Suspect, if set, is the service that is named when the role ends by itself and
	// nothing tells why: the only one whose code ends its process.
	Suspect string
	// OuterPID, if set, translates the process's number for those who read the events;
	// 0 is no number.
	OuterPID func(pid int) int
}

// Sink receives a role's events. It may be called by several goroutines.
type Sink func(role string, event control.Event)

// StopCommand is the line that a process with a command pipe gets on it.
type StopCommand struct {
	StopGraceMs int64 `json:"stopGraceMs"`
}

// instance is one process of a role, with what comes out of it.
type instance struct {
	*Process
	role     *Role
	begun    time.Time
	output   *outputPump
	events   *eventPump
	commands *os.File
	// stopProbe ends the wait for the role's socket.
	stopProbe func()
}

// start starts a process of the role.
func (r *Role) start(spawner *Spawner, log *logFile, sink Sink, restarts int) (_ *instance, err error) {
	var toClose []*os.File
	closeAll := func(files []*os.File) {
		for _, file := range files {
			_ = file.Close()
		}
	}
	// The child's ends are closed in any case, this process's ends only if there is no child.
	var childEnds []*os.File
	defer func() {
		closeAll(childEnds)
		if err != nil {
			closeAll(toClose)
		}
	}()
	pipe := func(childReads bool) (own, child *os.File, err error) {
		reader, writer, err := os.Pipe()
		if err != nil {
			return nil, nil, fmt.Errorf("pipe: %w", err)
		}
		own, child = reader, writer
		if childReads {
			own, child = writer, reader
		}
		toClose, childEnds = append(toClose, own), append(childEnds, child)
		return own, child, nil
	}

	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	childEnds = append(childEnds, null)
	output, outputEnd, err := pipe(false)
	if err != nil {
		return nil, err
	}
	files := []*os.File{null, outputEnd, outputEnd}
	var events, commands *os.File
	if r.Events {
		var end *os.File
		if events, end, err = pipe(false); err != nil {
			return nil, err
		}
		files = append(files, end)
	}
	if r.Commands {
		var end *os.File
		if commands, end, err = pipe(true); err != nil {
			return nil, err
		}
		files = append(files, end)
	}
	process, err := spawner.Spawn(Program{Argv: r.Argv, Env: r.Env, Files: files, Sys: r.attributes()})
	if err != nil {
		return nil, err
	}
	started := &instance{Process: process, role: r, begun: time.Now(), commands: commands, stopProbe: func() {}}
	sink(r.Name, control.Event{Type: control.Role, State: control.Started, PID: r.outerPID(process.PID), Restarts: &restarts, Log: r.Log})
	started.output = pump(output, log)
	started.events = pumpEvents(events, r.Name, sink)
	if r.Socket != "" {
		started.stopProbe = probeSocket(r, started.begun, sink)
	}
	return started, nil
}

func (r *Role) attributes() syscall.SysProcAttr {
	// A process group of its own: in gVisor the end of any process of an orphaned group
	// hangs up all of them when one is stopped, and the cluster would end with it.
	attributes := syscall.SysProcAttr{Cloneflags: r.Cloneflags, Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if r.Cloneflags&syscall.CLONE_NEWPID != 0 {
		// Go's fork takes a parent in another pid namespace, which it sees as 0, for one
		// that has died. Such a process is told by the end of its command pipe.
		attributes.Pdeathsig = 0
	}
	return attributes
}

func (r *Role) outerPID(pid int) int {
	if r.OuterPID == nil {
		return pid
	}
	return r.OuterPID(pid)
}

// wait blocks until the process has ended, and describes its end. The event's state
// and count are the caller's to set.
func (i *instance) wait() control.Event {
	status := i.Wait()
	i.stopProbe()
	waitDrained(i.output.done)
	waitDrained(i.events.done)
	if i.commands != nil {
		_ = i.commands.Close()
	}
	event := control.Event{Type: control.Role, Log: i.role.Log}
	last, crash := i.output.tail.output()
	if status.Signaled() {
		event.Signal = status.Signal().String()
	} else {
		code := status.ExitStatus()
		event.ExitCode = &code
	}
	var cause Cause
	fatal := i.events.fatal()
	switch {
	case killed(status):
		// What was written last is not why.
	case fatal != nil && len(crash) == 0:
		cause = *fatal
	default:
		cause = findCause(last, crash)
		if cause.Service == "" {
			cause.Service = cmp.Or(i.events.onlyStarting(), i.role.Suspect)
		}
	}
	if i.role.Service != "" {
		cause.Service = i.role.Service
	}
	event.Service, event.Message = cause.Service, cause.Message
	return event
}

// killed says whether a process was ended from outside, whatever it has written before.
func killed(status syscall.WaitStatus) bool {
	return status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM)
}

// askToStop tells the process to stop.
func (i *instance) askToStop(grace time.Duration) error {
	if i.commands != nil {
		return writeStopCommand(i.commands, grace)
	}
	if err := i.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, ErrEnded) {
		return err
	}
	return nil
}
