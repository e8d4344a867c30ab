package servicenamespace

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// ErrClosed is returned for what is asked of a namespace after Close.
var ErrClosed = errors.New("the service namespace is closed")

// thread is an operating-system thread in a network namespace of its own. Nothing
// else holds the namespace: it goes with the thread, and so with the process.
type thread struct {
	work chan func()
	stop chan struct{}
	// done is closed when the thread takes no more work.
	done chan struct{}
}

// startThread makes a network namespace. The descriptor stands for it, and is the
// caller's to close.
func startThread() (*thread, int, error) {
	type started struct {
		descriptor int
		err        error
	}
	made := &thread{work: make(chan func()), stop: make(chan struct{}), done: make(chan struct{})}
	ready := make(chan started)
	go besideMainThread(func() {
		defer close(made.done)
		descriptor, err := unshareNetwork()
		ready <- started{descriptor, err}
		if err == nil {
			made.serve()
		}
	})
	result := <-ready
	if result.err != nil {
		return nil, -1, result.err
	}
	return made, result.descriptor, nil
}

// besideMainThread runs work on a locked thread that ends with it. The main thread
// is never that thread: /proc/self shows the main thread's namespace as the process'.
func besideMainThread(work func()) {
	// Without an unlock the runtime ends the thread together with the goroutine.
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		work()
		return
	}
	// While this goroutine holds the main thread, another one gets another thread.
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		work()
	}()
	<-done
	runtime.UnlockOSThread()
}

func unshareNetwork() (int, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("make a network namespace: %w", err)
	}
	path := fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
	descriptor, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return descriptor, nil
}

func (t *thread) serve() {
	for {
		select {
		case work := <-t.work:
			work()
		case <-t.stop:
			return
		}
	}
}

// do runs work on the thread and returns what it returns.
func (t *thread) do(work func() error) error {
	result := make(chan error, 1)
	select {
	case t.work <- func() { result <- work() }:
		return <-result
	case <-t.done:
		return ErrClosed
	}
}

// end lets the thread go. It may be called once.
func (t *thread) end() {
	close(t.stop)
	<-t.done
}
