package supervise

import (
	"os"
	"sync"

	"sandkube.dev/runtime/internal/control"
)

// eventPump hands a role's events on, and remembers the last fatal one.
type eventPump struct {
	done chan struct{}

	mu    sync.Mutex
	cause *Cause
}

// pumpEvents reads the pipe until all its writers are gone, and closes it. Without a
// pipe it is done at once. An event that carries a role's name is of a process that
// the role supervises itself.
func pumpEvents(pipe *os.File, role string, sink Sink) *eventPump {
	p := &eventPump{done: make(chan struct{})}
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
			if event.Type == control.Fatal && name == role {
				p.setFatal(event)
			}
			sink(name, event)
		})
	}()
	return p
}

func (p *eventPump) setFatal(event control.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cause = &Cause{Service: event.Service, Message: event.Message}
}

// fatal is the cause that the role itself has named; nil if it has named none.
func (p *eventPump) fatal() *Cause {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause
}
