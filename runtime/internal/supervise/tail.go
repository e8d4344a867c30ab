package supervise

import (
	"slices"
	"sync"
)

const (
	// tailLines is how many of the last lines are kept.
	tailLines = 50
	// crashLines is how many lines are kept from the start of a crash report on: a
	// stack trace is often longer than the tail.
	crashLines = 400
	// maxTailLineBytes is where a kept line is cut off.
	maxTailLineBytes = 2048
)

// tail keeps the last lines of a process's output, and the report of its crash.
type tail struct {
	mu    sync.Mutex
	last  []string
	crash []string
}

func (t *tail) add(line []byte) {
	if len(line) > maxTailLineBytes {
		line = line[:maxTailLineBytes]
	}
	text := string(line)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, text)
	if len(t.last) > tailLines {
		t.last = slices.Delete(t.last, 0, 1)
	}
	switch {
	// A panic that was recovered and logged may precede the one that ends the process.
	case startsCrash(text) && !endsInPanic(t.crash):
		t.crash = append(t.crash[:0], text)
	case len(t.crash) > 0 && len(t.crash) < crashLines:
		t.crash = append(t.crash, text)
	}
}

// output returns the last lines, and the lines from the start of the crash report on, if there is one.
func (t *tail) output() (last, crash []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.last), slices.Clone(t.crash)
}
