// Package heap sets the garbage collector for the two lives of a role: while it
// starts, people wait; afterwards it mostly idles beside the user's own programs.
package heap

import (
	"os"
	"runtime/debug"
	"sync"
	"time"

	"sandkube.dev/runtime/internal/service"
)

// startLimitBytes is the heap up to which nothing is collected while a role starts.
const startLimitBytes = 256 << 20

// runningPercent is GOGC once a role is ready: a smaller heap for more frequent collections.
const runningPercent = 50

// settle is how long after it is ready a role still allocates for its start, as
// caches fill and first pods come.
const settle = 5 * time.Second

// Reporter passes everything on and, when the role is ready, makes its heap small.
type Reporter struct {
	service.Reporter
	once sync.Once
}

// ForStart turns collection off for the start of the role that reports to next,
// unless the environment sets GOGC.
func ForStart(next service.Reporter) service.Reporter {
	if os.Getenv("GOGC") != "" {
		return next
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(startLimitBytes)
	return &Reporter{Reporter: next}
}

// Ready ends the start.
func (r *Reporter) Ready() {
	r.Reporter.Ready()
	r.once.Do(func() {
		debug.SetGCPercent(100)
		time.AfterFunc(settle, func() {
			debug.SetGCPercent(runningPercent)
			debug.FreeOSMemory()
		})
	})
}
