// Package heap sets the garbage collector for the two lives of a role: while it
// starts, people wait; afterwards it mostly idles beside the user's own programs.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"sandkube.dev/runtime/internal/service"
)

const (
	variable = "GOGC"
	// off is the value of GOGC with which a role is started: Kubernetes' packages allocate so much
	// before main that the collector would run seven times.
	off = "off"
)

// minimumBytes is the heap at which Go first collects with a GOGC of 100, by definition of GOGC.
const minimumBytes = 4 << 20

// firstCollectionBytes is the heap at which a role that starts first collects. A good part of what
// the control plane has allocated by then is garbage, and what lives on lies in between: the later
// the first collection, the more memory it keeps for good.
const firstCollectionBytes = 140 << 20

// startPercent is GOGC from the first collection on until the role is ready.
const startPercent = 75

// runningPercent is GOGC once a role is ready: a smaller heap for more frequent collections.
const runningPercent = 50

// settle is how long after it is ready a role still allocates for its start, as
// caches fill and first pods come.
const settle = 5 * time.Second

// StartEnvironment is the environment of a role that calls ForStart.
func StartEnvironment(environment []string) []string {
	isSet := slices.ContainsFunc(environment, func(each string) bool { return strings.HasPrefix(each, variable+"=") })
	if isSet {
		return environment
	}
	return append(slices.Clip(environment), variable+"="+off)
}

// Reporter passes everything on and, when the role is ready, makes its heap small.
type Reporter struct {
	service.Reporter

	mu      sync.Mutex
	isReady bool
}

// ForStart puts collection off during the start of the role that reports to next, unless the
// environment sets GOGC to a number.
func ForStart(next service.Reporter) service.Reporter {
	if value := os.Getenv(variable); value != "" && value != off {
		return next
	}
	// Programs that the role starts have a life of their own.
	os.Unsetenv(variable)
	reporter := &Reporter{Reporter: next}
	debug.SetGCPercent(firstCollectionBytes / minimumBytes * 100)
	runtime.AddCleanup(new([64]byte), reporter.firstCollected, struct{}{})
	return reporter
}

// firstCollected is called after the first collection, which finds that nothing refers to what it
// is the cleanup of.
func (r *Reporter) firstCollected(struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isReady {
		debug.SetGCPercent(startPercent)
	}
}

// Ready ends the start.
func (r *Reporter) Ready() {
	r.Reporter.Ready()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isReady {
		return
	}
	r.isReady = true
	debug.SetGCPercent(100)
	time.AfterFunc(settle, func() {
		debug.SetGCPercent(runningPercent)
		debug.FreeOSMemory()
	})
}
