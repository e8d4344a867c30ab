package control

import (
	"context"
	"sync"
	"time"
)

// historyLength is how many events a Journal keeps for those who come late.
const historyLength = 1000

// Journal keeps the latest events and the status that all events together amount to.
// It may be used by several goroutines.
type Journal struct {
	now func() time.Time

	mu     sync.Mutex
	events []Event
	// first is the position of events[0] in the stream of all events.
	first  int
	status Status
	// added is closed, and replaced, when an event is added.
	added chan struct{}
}

// NewJournal returns an empty journal. The status starts as given, with no roles.
func NewJournal(status Status) *Journal {
	status.Roles = []RoleStatus{}
	return &Journal{now: time.Now, status: status, added: make(chan struct{})}
}

// Add appends an event of a role. An event that has a time keeps it.
func (j *Journal) Add(role string, event Event) {
	event.Role = role
	if event.Time == "" {
		event.Time = j.now().UTC().Format(time.RFC3339Nano)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
	if excess := len(j.events) - historyLength; excess > 0 {
		j.events = append(j.events[:0], j.events[excess:]...)
		j.first += excess
	}
	j.status.apply(event)
	close(j.added)
	j.added = make(chan struct{})
}

// Status returns the present status.
func (j *Journal) Status() Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.status.clone()
}

// End is the position of the event that comes next.
func (j *Journal) End() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first + len(j.events)
}

// Next returns the events from a position on, and the position after them; it waits
// for one if there is none. Events that are no longer kept are passed over.
func (j *Journal) Next(ctx context.Context, position int) ([]Event, int, error) {
	for {
		j.mu.Lock()
		end, added := j.first+len(j.events), j.added
		if position < end {
			events := append([]Event(nil), j.events[max(position-j.first, 0):]...)
			j.mu.Unlock()
			return events, end, nil
		}
		j.mu.Unlock()
		// What was added before ctx was done is still returned.
		if ctx.Err() != nil {
			return nil, position, context.Cause(ctx)
		}
		select {
		case <-added:
		case <-ctx.Done():
		}
	}
}
