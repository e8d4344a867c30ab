package imagedirectory

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// progressInterval is the shortest time between two reports of progress.
const progressInterval = time.Second

// bulletin tells the supervisor what the service is doing. Its methods may be called at
// the same time.
type bulletin struct {
	reporter Reporter
	log      klog.Logger
	records  []*record

	mu       sync.Mutex
	ready    bool
	progress string
	last     time.Time
	problems map[string]string // by file
}

// setReady says that the start is over.
func (b *bulletin) setReady() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ready = true
	b.tell()
}

// setProgress says what is being read; empty: nothing is.
func (b *bulletin) setProgress(progress string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if progress == b.progress || (progress != "" && time.Since(b.last) < progressInterval) {
		return
	}
	b.progress = progress
	b.tell()
}

// setImported says that the records have changed.
func (b *bulletin) setImported() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell()
}

// setProblem says what is wrong with a file; empty: nothing is.
func (b *bulletin) setProblem(of, problem string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.problems == nil {
		b.problems = map[string]string{}
	}
	if b.problems[of] == problem {
		return
	}
	if problem == "" {
		delete(b.problems, of)
	} else {
		b.problems[of] = problem
	}
	b.tell()
}

func (b *bulletin) tell() {
	b.last = time.Now()
	message := b.progress
	if message == "" {
		total := 0
		for _, record := range b.records {
			total += record.images()
		}
		if total > 0 {
			message = fmt.Sprintf("%d images", total)
		}
	}
	var problems []string
	for _, file := range slices.Sorted(maps.Keys(b.problems)) {
		problems = append(problems, fmt.Sprintf("%s: %s", file, b.problems[file]))
	}
	b.reporter.ServiceNews(Name, b.ready, message, problems)
}
