package supervise

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"sandkube.dev/runtime/internal/control"
)

// Keeper keeps one role running.
type Keeper struct {
	role    Role
	spawner *Spawner
	sink    Sink
	log     *logFile
	// stopping is closed when the role is not to be started again.
	stopping chan struct{}
	// stopped is closed when the role's process has ended for good.
	stopped chan struct{}

	mu      sync.Mutex
	current *instance
	closed  bool
}

// Keep starts a role, and starts it again whenever it ends, until Stop is called. A
// process that can not be started counts as one that has ended at once.
func Keep(spawner *Spawner, role Role, sink Sink) (*Keeper, error) {
	log, err := openLogFile(role.Log)
	if err != nil {
		return nil, err
	}
	k := &Keeper{
		role: role, spawner: spawner, sink: sink, log: log,
		stopping: make(chan struct{}), stopped: make(chan struct{}),
	}
	go k.run()
	return k, nil
}

// Stopped is closed when the role has been stopped.
func (k *Keeper) Stopped() <-chan struct{} { return k.stopped }

func (k *Keeper) run() {
	defer close(k.stopped)
	defer k.log.Close()
	var pause backoff
	for restarts := 0; ; {
		begun := time.Now()
		end := k.runOnce(restarts)
		if k.isStopping() {
			end.State = control.Stopped
			if end.ExitCode != nil && *end.ExitCode == 0 {
				// An end as it should be has no cause.
				end.Service, end.Message = "", ""
			}
			k.sink(k.role.Name, end)
			return
		}
		restarts++
		end.State, end.Restarts = control.Exited, &restarts
		k.sink(k.role.Name, end)

		delay := pause.after(time.Since(begun))
		ms := delay.Milliseconds()
		waiting := end
		waiting.State, waiting.DelayMs = control.BackingOff, &ms
		k.sink(k.role.Name, waiting)
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-k.stopping:
			timer.Stop()
			k.sink(k.role.Name, control.Event{Type: control.Role, State: control.Stopped, Log: k.role.Log})
			return
		}
	}
}

// runOnce starts a process of the role, and returns the event that describes its end.
func (k *Keeper) runOnce(restarts int) control.Event {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return control.Event{Type: control.Role, Log: k.role.Log}
	}
	started, err := k.role.start(k.spawner, k.log, k.sink, restarts)
	k.current = started
	k.mu.Unlock()
	if err != nil {
		_, _ = fmt.Fprintf(k.log, "%v\n", err)
		return control.Event{Type: control.Role, Message: err.Error(), Log: k.role.Log}
	}
	end := started.wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = nil
	return end
}

func (k *Keeper) isStopping() bool {
	select {
	case <-k.stopping:
		return true
	default:
		return false
	}
}

// Kill ends the role's process at once; the role is started again. The error is ErrEnded
// when there is no process.
func (k *Keeper) Kill() error {
	k.mu.Lock()
	current := k.current
	k.mu.Unlock()
	if current == nil {
		return ErrEnded
	}
	return current.Signal(syscall.SIGKILL)
}

// Stop asks the role's process to end, kills it when the limit is over, and returns
// when it has ended. grace is what a process with a command pipe is told.
func (k *Keeper) Stop(grace, limit time.Duration) error {
	k.mu.Lock()
	current := k.current
	if !k.closed {
		k.closed = true
		close(k.stopping)
	}
	k.mu.Unlock()
	if current == nil {
		<-k.stopped
		return nil
	}
	err := current.askToStop(grace)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-k.stopped:
		return nil
	case <-timer.C:
		err = errors.Join(err, fmt.Errorf("%s did not end within %s", k.role.Name, limit))
	}
	if killError := current.Signal(syscall.SIGKILL); killError != nil && !errors.Is(killError, ErrEnded) {
		return errors.Join(err, killError)
	}
	<-k.stopped
	return err
}
