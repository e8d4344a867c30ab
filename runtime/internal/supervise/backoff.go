package supervise

import "time"

const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 10 * time.Second
	// healthyRun is how long a process must have run for its next end to count as the first.
	healthyRun = time.Minute
)

// backoff says how long to wait before a process is started again.
type backoff struct {
	next time.Duration
}

// after returns the delay that follows a run of the given length.
func (b *backoff) after(run time.Duration) time.Duration {
	if b.next == 0 || run >= healthyRun {
		b.next = firstDelay
	}
	delay := b.next
	b.next = min(2*delay, lastDelay)
	return delay
}
