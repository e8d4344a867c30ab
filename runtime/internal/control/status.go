package control

import (
	"maps"
	"slices"
)

// Status is the supervisor's answer to the command "status".
type Status struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	// StartedAt is in RFC 3339.
	StartedAt string       `json:"startedAt"`
	Stopping  bool         `json:"stopping"`
	Roles     []RoleStatus `json:"roles"`
}

// RunState is what a role is doing, all in all.
type RunState string

// A role runs, waits to be started again, or is not to run any more.
const (
	RoleRunning    RunState = "running"
	RoleBackingOff RunState = "backing-off"
	RoleStopped    RunState = "stopped"
)

// RoleStatus is the state of one role.
type RoleStatus struct {
	Role  string   `json:"role"`
	State RunState `json:"state"`
	PID   int      `json:"pid,omitempty"`
	// Ready is set while the role runs with all its services ready.
	Ready    bool                     `json:"ready"`
	Restarts int                      `json:"restarts"`
	Services map[string]ServiceStatus `json:"services"`
	LastExit *Exit                    `json:"lastExit,omitempty"`
}

// ServiceStatus is the state of one part of a role.
type ServiceStatus struct {
	State     State  `json:"state"`
	ElapsedMs *int64 `json:"elapsedMs,omitempty"`
	Message   string `json:"message,omitempty"`
	// Problems are what the service could not do though it goes on.
	Problems []string `json:"problems,omitempty"`
}

// Exit is how and when a role's process ended last. Service is the part that ended
// it, if that is known.
type Exit struct {
	Time     string `json:"time"`
	ExitCode *int   `json:"exitCode,omitempty"`
	Signal   string `json:"signal,omitempty"`
	Service  string `json:"service,omitempty"`
	Message  string `json:"message,omitempty"`
}

// apply brings the status up to date with an event.
func (s *Status) apply(event Event) {
	switch event.Type {
	case Stopping:
		s.Stopping = true
	case Role:
		s.role(event.Role).apply(event)
	case Service:
		s.role(event.Role).Services[event.Service] = ServiceStatus{State: event.State, ElapsedMs: event.ElapsedMs, Message: event.Message, Problems: event.Problems}
	case RoleReady:
		s.role(event.Role).Ready = true
	}
}

// role returns the status of a role, which is added if it is new.
func (s *Status) role(name string) *RoleStatus {
	i := slices.IndexFunc(s.Roles, func(r RoleStatus) bool { return r.Role == name })
	if i < 0 {
		i = len(s.Roles)
		s.Roles = append(s.Roles, RoleStatus{Role: name, State: RoleRunning, Services: map[string]ServiceStatus{}})
	}
	return &s.Roles[i]
}

func (r *RoleStatus) apply(event Event) {
	if event.Restarts != nil {
		r.Restarts = *event.Restarts
	}
	switch event.State {
	case Started:
		r.State, r.PID, r.Ready = RoleRunning, event.PID, false
		clear(r.Services)
	case Exited, Stopped:
		r.State, r.PID, r.Ready = RoleStopped, 0, false
		if event.ExitCode != nil || event.Signal != "" || event.Message != "" {
			r.LastExit = &Exit{Time: event.Time, ExitCode: event.ExitCode, Signal: event.Signal, Service: event.Service, Message: event.Message}
		}
	case BackingOff:
		r.State = RoleBackingOff
	}
}

func (s Status) clone() Status {
	s.Roles = slices.Clone(s.Roles)
	for i := range s.Roles {
		s.Roles[i].Services = maps.Clone(s.Roles[i].Services)
	}
	return s
}
