// Package control carries what a cluster's processes tell: the events that a role
// reports to its supervisor, and the socket at which the supervisor answers.
//
// All of it is lines of JSON. A role writes its events to file descriptor 3
// (Reporter); the supervisor stamps them with the time and the role's name, keeps the
// latest (Journal), and serves them at the control socket (Server). The events'
// JSON Schema is protocol/events.schema.json.
package control

import "time"

// Type says what an event is about, and with it which fields are set.
type Type string

const (
	// Hello is a program's first event: Program, Version.
	Hello Type = "hello"
	// Service tells a new state of a part of a role: Service, State (Starting,
	// Ready or Failed), ElapsedMs, Message, Problems.
	Service Type = "service"
	// RoleReady means that all services of a role are ready.
	RoleReady Type = "ready"
	// Fatal names the reason why a role is about to exit: Service, Message.
	Fatal Type = "fatal"
	// Role tells a new state of a role's process: State (Started, Exited, BackingOff or
	// Stopped), PID, ExitCode or Signal, Service, Message, Restarts, DelayMs, Log.
	Role Type = "role"
	// Stopping is the first event, and AllStopped the last one, of a supervisor's end.
	Stopping   Type = "stopping"
	AllStopped Type = "stopped"
)

// State is that of a service or of a role's process.
type State string

// States of a service.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Failed   State = "failed"
)

// States of a role's process.
const (
	Started    State = "started"
	Exited     State = "exited"
	BackingOff State = "backing-off"
	Stopped    State = "stopped"
)

// Event is one line of the event stream. Pointers are nil where a field has no value.
type Event struct {
	Type Type `json:"type"`
	// Time (RFC 3339 with nanoseconds) and Role are added by the supervisor.
	Time string `json:"time,omitempty"`
	Role string `json:"role,omitempty"`

	Program string `json:"program,omitempty"`
	Version string `json:"version,omitempty"`

	Service string `json:"service,omitempty"`
	State   State  `json:"state,omitempty"`
	// ElapsedMs are the milliseconds since the service's start.
	ElapsedMs *int64 `json:"elapsedMs,omitempty"`
	Message   string `json:"message,omitempty"`
	// Problems are what a service could not do though it goes on.
	Problems []string `json:"problems,omitempty"`

	// PID is the process's number in the supervisor's pid namespace.
	PID      int    `json:"pid,omitempty"`
	ExitCode *int   `json:"exitCode,omitempty"`
	Signal   string `json:"signal,omitempty"`
	// Restarts counts how often the role has ended without being asked to.
	Restarts *int `json:"restarts,omitempty"`
	// DelayMs are the milliseconds until the next start.
	DelayMs *int64 `json:"delayMs,omitempty"`
	// Log is the path of the role's log file.
	Log string `json:"log,omitempty"`
}

// maxMessageBytes keeps a line of the stream well below maxLineBytes.
const maxMessageBytes = 4096

// clip cuts a message that is too long for an event.
func clip(message string) string {
	if len(message) <= maxMessageBytes {
		return message
	}
	return message[:maxMessageBytes] + "…"
}

func milliseconds(d time.Duration) *int64 {
	ms := d.Milliseconds()
	return &ms
}

// ServiceEvent tells a new state of a service, elapsed after its start.
func ServiceEvent(service string, state State, elapsed time.Duration, message string) Event {
	return Event{Type: Service, Service: service, State: state, ElapsedMs: milliseconds(elapsed), Message: clip(message)}
}

// FatalEvent names the reason why a role ends. The service may be empty.
func FatalEvent(service string, err error) Event {
	return Event{Type: Fatal, Service: service, Message: clip(err.Error())}
}
