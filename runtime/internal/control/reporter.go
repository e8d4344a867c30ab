package control

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// eventDescriptor is where a supervised process finds its event pipe.
const eventDescriptor = 3

// Reporter writes a role's events for the supervisor. Without a supervisor, and once
// the supervisor is gone, it does nothing: a role does not fail for want of a
// listener. It may be used by several goroutines.
type Reporter struct {
	mu   sync.Mutex
	pipe *os.File
}

// NewReporter returns a Reporter for the event pipe that this process has inherited.
// It is to be called before the process opens files: an unsupervised process has
// no pipe, and its first own file could take the number.
func NewReporter() *Reporter {
	var stat syscall.Stat_t
	if err := syscall.Fstat(eventDescriptor, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return &Reporter{}
	}
	// A child that kept the pipe would hide this process's end from the supervisor.
	syscall.CloseOnExec(eventDescriptor)
	return &Reporter{pipe: os.NewFile(eventDescriptor, "event pipe")}
}

// Report writes any event.
func (r *Reporter) Report(event Event) {
	line, err := json.Marshal(event)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pipe == nil {
		return
	}
	// With its reader gone, a pipe other than stdout and stderr gives EPIPE and no SIGPIPE (os/signal).
	if _, err := r.pipe.Write(append(line, '\n')); err != nil {
		_ = r.pipe.Close()
		r.pipe = nil
	}
}

// Hello says which program has started, in which version. The supervisor knows its role.
func (r *Reporter) Hello(program, version string) {
	r.Report(Event{Type: Hello, Program: program, Version: version})
}

// ServiceStarting says that a part of the role starts.
func (r *Reporter) ServiceStarting(service string) {
	r.Report(Event{Type: Service, Service: service, State: Starting})
}

// ServiceReady says that a part of the role can be used, elapsed after its start.
func (r *Reporter) ServiceReady(service string, elapsed time.Duration) {
	r.Report(ServiceEvent(service, Ready, elapsed, ""))
}

// ServiceFailed says that a part of the role has ended or never came up.
func (r *Reporter) ServiceFailed(service string, err error) {
	r.Report(Event{Type: Service, Service: service, State: Failed, Message: clip(err.Error())})
}

// maxProblems keeps a line of the stream well below maxLineBytes.
const maxProblems = 10

// ServiceNews says what a part of the role does that starts or is ready, and what it could
// not do though it goes on.
func (r *Reporter) ServiceNews(service string, ready bool, message string, problems []string) {
	event := Event{Type: Service, Service: service, State: Starting, Message: clip(message)}
	if ready {
		event.State = Ready
	}
	for number, problem := range problems {
		if number == maxProblems {
			event.Problems = append(event.Problems, fmt.Sprintf("and %d more", len(problems)-maxProblems))
			break
		}
		event.Problems = append(event.Problems, clip(problem))
	}
	r.Report(event)
}

// Ready says that all services of the role are ready.
func (r *Reporter) Ready() {
	r.Report(Event{Type: RoleReady})
}

// Fatal says why the role is about to exit. The service may be empty.
func (r *Reporter) Fatal(service string, err error) {
	r.Report(FatalEvent(service, err))
}
