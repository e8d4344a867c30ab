package supervise

import (
	"os"
	"sync"

	"sandkube.dev/runtime/internal/control"
)

// eventPump hands a role's events on, and remembers the last fatal one and which
// services are starting.
type eventPump struct {
	done chan struct{}

	mu       sync.Mutex
	cause    *Cause
	starting map[string]bool
}

// pumpEvents reads the pipe until all its writers are gone, and closes it. Without a
// pipe it is done at once. An event that carries a role's name is of a process that
// the role supervises itself.
func pumpEvents(pipe *os.File, role string, sink Sink) *eventPump {
	p := &eventPump{done: make(chan struct{}), starting: make(map[string]bool)}
	if pipe == nil {
		close(p.done)
		return p
	}
	go func() {
		defer close(p.done)
		defer pipe.Close()
		// A pipe that can not be read any more is as good as ended.
		_ = control.ReadEvents(pipe, func(event control.Event) {
			name := event.Role
			if name == "" {
				name = role
			}
			if name == role {
				p.remember(event)
			}
			sink(name, event)
		})
	}()
	return p
}

func (p *eventPump) remember(event control.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event.Type {
	case control.Fatal:
		p.cause = &Cause{Service: event.Service, Message: event.Message}
	case control.Service:
		if event.State == control.Starting {
			p.starting[event.Service] = true
		} else {
			delete(p.starting, event.Service)
		}
	}
}

// fatal is the cause that the role itself has named; nil if it has named none.
func (p *eventPump) fatal() *Cause {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause
}

// onlyStarting is the one service that was starting when the role ended; empty when
// there was none, or more than one.
func (p *eventPump) onlyStarting() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.starting) != 1 {
		return ""
	}
	for service := range p.starting {
		return service
	}
	return ""
}
