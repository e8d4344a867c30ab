package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// record keeps what a run reports, in order.
type record struct {
	mu    sync.Mutex
	lines []string
	ready chan struct{}
}

func newRecord() *record { return &record{ready: make(chan struct{})} }

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *record) ServiceStarting(name string)               { r.add("starting " + name) }
func (r *record) ServiceReady(name string, _ time.Duration) { r.add("ready " + name) }
func (r *record) ServiceFailed(name string, err error)      { r.add("failed " + name + ": " + err.Error()) }
func (r *record) ServiceNews(name string, _ bool, message string, _ []string) {
	r.add("news of " + name + ": " + message)
}
func (r *record) Ready() { close(r.ready) }

// steady is a service that is ready at once and notes when it stops.
func steady(r *record, name string, dependencies ...string) Service {
	return Service{Name: name, Dependencies: dependencies, Run: func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		r.add("stopped " + name)
		return nil
	}}
}

func TestRunStartsInOrderAndStopsInReverse(t *testing.T) {
	r := newRecord()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-r.ready
		cancel()
	}()
	err := Run(ctx, []Service{steady(r, "store"), steady(r, "server", "store"), steady(r, "clients", "server")}, r)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"starting store", "ready store", "starting server", "ready server", "starting clients", "ready clients",
		"stopped clients", "stopped server", "stopped store",
	}
	if !slices.Equal(r.lines, want) {
		t.Errorf("got  %q\nwant %q", r.lines, want)
	}
}

func TestRunNamesTheServiceThatFails(t *testing.T) {
	broken := errors.New("disk full")
	for name, test := range map[string]struct {
		run  func(context.Context, func()) error
		want string
	}{
		"error":     {func(context.Context, func()) error { return broken }, "server: disk full"},
		"early end": {func(context.Context, func()) error { return nil }, "server: ended without being asked to"},
		"after ready": {func(_ context.Context, ready func()) error {
			ready()
			ready()
			return broken
		}, "server: disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord()
			err := Run(t.Context(), []Service{steady(r, "store"), {Name: "server", Dependencies: []string{"store"}, Run: test.run}}, r)
			failure, ok := errors.AsType[*Error](err)
			if !ok || failure.Service != "server" || failure.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if !slices.Contains(r.lines, "stopped store") {
				t.Errorf("the store was not stopped: %q", r.lines)
			}
		})
	}
}

func TestRunNamesTheServiceThatDoesNotStop(t *testing.T) {
	r := newRecord()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-r.ready
		cancel()
	}()
	release := make(chan struct{})
	defer close(release)
	err := Run(ctx, []Service{{Name: "stuck", StopLimit: 20 * time.Millisecond, Run: func(_ context.Context, ready func()) error {
		ready()
		<-release
		return nil
	}}}, r)
	if err == nil || !strings.Contains(err.Error(), "stuck did not stop") {
		t.Errorf("got %v", err)
	}
}

func TestRunRefusesBadDeclarations(t *testing.T) {
	r := newRecord()
	for want, services := range map[string][]Service{
		"declared twice":         {steady(r, "a"), steady(r, "a")},
		"not declared before it": {steady(r, "a", "b"), steady(r, "b")},
	} {
		if err := Run(t.Context(), services, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
