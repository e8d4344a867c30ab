// Package service runs the parts of one role: it starts each part when the ones
// it depends on are ready, measures how long each takes, and stops them in
// reverse order.
package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Service is one part of a role, such as the API server.
type Service struct {
	Name string
	// Dependencies names the services that must be ready before Run is called.
	Dependencies []string
	// Run calls ready once, when the service can be used, and returns when ctx is
	// done or the service has failed. Returning nil before ctx is done is a failure too.
	Run func(ctx context.Context, ready func()) error
	// StopLimit is how long Run may take to return once ctx is done.
	StopLimit time.Duration
}

// Reporter is told about each step of each service.
type Reporter interface {
	ServiceStarting(service string)
	ServiceReady(service string, elapsed time.Duration)
	ServiceFailed(service string, err error)
	// ServiceNews tells what a service does that starts or is ready, and what it could not do
	// though it goes on.
	ServiceNews(service string, ready bool, message string, problems []string)
	Ready()
}

// Error names the service that ended a role.
type Error struct {
	Service string
	Err     error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Service, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

const defaultStopLimit = 10 * time.Second

// running is a service whose Run has been called.
type running struct {
	Service
	cancel context.CancelFunc
	done   chan struct{}
}

type outcome struct {
	service string
	err     error
}

// Run starts the services, reports Ready when all are ready, and blocks until ctx
// is done or one of them fails. All are stopped before it returns, in the reverse
// of the order in which they started. The error of a failed service is an *Error.
func Run(ctx context.Context, services []Service, reporter Reporter) error {
	if err := validate(services); err != nil {
		return err
	}
	readied := make(chan string, len(services))
	outcomes := make(chan outcome, len(services))
	isReady := make(map[string]bool, len(services))
	waiting := slices.Clone(services)
	var started []running
	for {
		waiting = slices.DeleteFunc(waiting, func(s Service) bool {
			for _, dependency := range s.Dependencies {
				if !isReady[dependency] {
					return false
				}
			}
			started = append(started, start(s, reporter, readied, outcomes))
			return true
		})
		select {
		case name := <-readied:
			isReady[name] = true
			if len(isReady) == len(services) {
				reporter.Ready()
			}
		case o := <-outcomes:
			failure := &Error{Service: o.service, Err: o.err}
			reporter.ServiceFailed(o.service, o.err)
			return errors.Join(failure, stop(started))
		case <-ctx.Done():
			return stop(started)
		}
	}
}

// start calls s.Run with a context of its own, so that stopping can go service by service.
func start(s Service, reporter Reporter, readied chan<- string, outcomes chan<- outcome) running {
	ctx, cancel := context.WithCancel(context.Background())
	r := running{Service: s, cancel: cancel, done: make(chan struct{})}
	reporter.ServiceStarting(s.Name)
	begin := time.Now()
	var called bool
	ready := func() {
		if !called {
			called = true
			reporter.ServiceReady(s.Name, time.Since(begin))
			readied <- s.Name
		}
	}
	go func() {
		defer close(r.done)
		err := s.Run(ctx, ready)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("ended without being asked to")
		}
		outcomes <- outcome{service: s.Name, err: err}
	}()
	return r
}

// stop ends the services, last started first, and names those that did not end in time.
func stop(started []running) error {
	var errs []error
	for _, r := range slices.Backward(started) {
		r.cancel()
		limit := r.StopLimit
		if limit == 0 {
			limit = defaultStopLimit
		}
		timer := time.NewTimer(limit)
		select {
		case <-r.done:
		case <-timer.C:
			errs = append(errs, fmt.Errorf("%s did not stop within %s", r.Name, limit))
		}
		timer.Stop()
	}
	return errors.Join(errs...)
}

// validate refuses duplicate names and dependencies that are not declared earlier in
// the list; the order of the list therefore proves that there is no cycle.
func validate(services []Service) error {
	known := make(map[string]bool, len(services))
	for _, s := range services {
		if known[s.Name] {
			return fmt.Errorf("service %s is declared twice", s.Name)
		}
		for _, dependency := range s.Dependencies {
			if !known[dependency] {
				return fmt.Errorf("service %s depends on %s, which is not declared before it", s.Name, dependency)
			}
		}
		known[s.Name] = true
	}
	return nil
}
