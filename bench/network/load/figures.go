package main

import (
	"encoding/json"
	"os"
	"slices"
	"sync"
	"time"
)

// rate is what many exchanges of one sort came to.
type rate struct {
	// Count is how many exchanges succeeded.
	Count int `json:"count"`
	// Failures is how many others did not.
	Failures int `json:"failures"`
	// FirstFailure says why, of the first one; empty without failures.
	FirstFailure string  `json:"firstFailure"`
	Seconds      float64 `json:"seconds"`
	PerSecond    float64 `json:"perSecond"`
	// P50Microseconds and P99Microseconds are how long an exchange took; 0 when none succeeded.
	P50Microseconds float64 `json:"p50Microseconds"`
	P99Microseconds float64 `json:"p99Microseconds"`
}

// recorder collects exchanges. The zero value is ready. Its methods may be called at the
// same time.
type recorder struct {
	lock         sync.Mutex
	took         []time.Duration
	failures     int
	firstFailure string
}

// add takes over what one worker has measured.
func (r *recorder) add(took ...time.Duration) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.took = append(r.took, took...)
}

func (r *recorder) fail(err error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.failures++
	if r.firstFailure == "" {
		r.firstFailure = err.Error()
	}
}

// measure runs an exchange and records how long it took or why it failed.
func (r *recorder) measure(exchange func() error) {
	began := time.Now()
	if err := exchange(); err != nil {
		r.fail(err)
		return
	}
	r.add(time.Since(began))
}

// rate sums up everything so far.
func (r *recorder) rate(elapsed time.Duration) rate {
	r.lock.Lock()
	defer r.lock.Unlock()
	slices.Sort(r.took)
	return rate{
		Count: len(r.took), Failures: r.failures, FirstFailure: r.firstFailure,
		Seconds: elapsed.Seconds(), PerSecond: float64(len(r.took)) / elapsed.Seconds(),
		P50Microseconds: microseconds(percentile(r.took, 50)),
		P99Microseconds: microseconds(percentile(r.took, 99)),
	}
}

// percentile is the smallest of the sorted durations that a percentage of them do not
// exceed (nearest rank); 0 without durations.
func percentile(sorted []time.Duration, percentage int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*percentage + 99) / 100
	return sorted[max(rank, 1)-1]
}

func microseconds(duration time.Duration) float64 {
	return float64(duration.Nanoseconds()) / 1e3
}

// print writes one line of JSON.
func print(figures any) error {
	return json.NewEncoder(os.Stdout).Encode(figures)
}
