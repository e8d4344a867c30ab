package probe

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// concurrency is how many children run at a time: they wait on the kernel more
	// than they compute, so more than there are processors in the common sandbox.
	concurrency = 4
	// reapLimit bounds the wait for a killed child; one that cannot be killed is left.
	reapLimit = time.Second
)

// verb is the first argument with which the program runs FactMain.
const verb = "probe-fact"

// message is one line that a child writes: it announces a fact before trying it and
// tells the result after, so that whatever stops the child has a name.
type message struct {
	Trying string  `json:"trying,omitempty"`
	Tried  string  `json:"tried,omitempty"`
	Result *Result `json:"result,omitempty"`
	// EnterFailed says that the namespaces could not be prepared: it stands for every
	// fact of the family.
	EnterFailed *Result `json:"enterFailed,omitempty"`
}

// supervise tries all facts of the families, each family in a child process.
//
// A child tries its family's facts in turn. When one hangs or takes the child down, it
// alone gets the blame, and a new child goes on with those that follow: to the facts
// this is the same as a process each, at a fraction of the time where starting a
// process is slow.
func supervise(all []family, s scratch, limit time.Duration) map[string]Result {
	queue := make(chan family, len(all))
	for _, f := range all {
		queue <- f
	}
	close(queue)

	results := map[string]Result{}
	var lock sync.Mutex
	report := func(id string, r Result) {
		lock.Lock()
		defer lock.Unlock()
		results[id] = r
	}
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			// The kernel sends a child its parent-death signal when the thread that
			// started it ends, not the process: the thread must stay.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for f := range queue {
				for pending := f.facts; len(pending) > 0; {
					settled := superviseChild(f, pending, s, limit, report)
					pending = pending[settled:]
				}
			}
		})
	}
	workers.Wait()
	return results
}

// superviseChild runs one child over the pending facts and returns how many of them,
// from the front, now have a result: at least one.
func superviseChild(f family, pending []fact, s scratch, limit time.Duration, report func(string, Result)) int {
	reportAll := func(r Result) int {
		for _, p := range pending {
			report(p.id, r)
		}
		return len(pending)
	}
	output, pid, err := startChild(f, pending, s)
	if err != nil {
		return reportAll(no(err, "start a process in %s", describeClone(f.clone)))
	}
	defer output.Close()

	lines := bufio.NewReader(output)
	settled, trying, began := 0, "", time.Now()
	for settled < len(pending) {
		_ = output.SetReadDeadline(time.Now().Add(limit))
		m, err := readMessage(lines)
		if err != nil {
			r := Result{ElapsedMs: time.Since(began).Milliseconds()}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				kill(pid)
				r.State, r.Detail = Timeout, fmt.Sprintf("no answer within %s", limit)
			} else {
				r.State, r.Detail = Crash, describeEnd(reap(pid))
			}
			if trying == "" {
				r.Detail += ", before any fact was tried"
				return reportAll(r)
			}
			report(trying, r)
			return settled + 1
		}
		switch {
		case m.EnterFailed != nil:
			kill(pid)
			return reportAll(*m.EnterFailed)
		case m.Trying != "":
			trying, began = m.Trying, time.Now()
		case m.Tried != "" && m.Result != nil:
			report(m.Tried, *m.Result)
			settled++
		}
	}
	kill(pid)
	return settled
}

func startChild(f family, pending []fact, s scratch) (*os.File, int, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, 0, err
	}
	defer w.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		r.Close()
		return nil, 0, err
	}
	defer null.Close()
	argv := []string{os.Args[0], verb, "--scratch", s.path, "--data-errno", s.dataErrno}
	for _, p := range pending {
		argv = append(argv, p.id)
	}
	pid, err := syscall.ForkExec("/proc/self/exe", argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   childEnvironment(),
		Files: []uintptr{null.Fd(), w.Fd(), null.Fd()},
		// The child asks for its parent-death signal itself: set here, the standard
		// library's check of getppid fails in a new pid namespace.
		Sys: &syscall.SysProcAttr{Setpgid: true, Cloneflags: f.clone},
	})
	if err != nil {
		r.Close()
		return nil, 0, err
	}
	return r, pid, nil
}

// childEnvironment holds no more than what finds the `mount` program; children are too
// short-lived to collect garbage.
func childEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "GOGC=off"}
}

func readMessage(lines *bufio.Reader) (message, error) {
	var m message
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(line, &m)
}

// kill ends a child and all that it started.
func kill(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	reap(pid)
}

// reap collects a child's status; nil when it did not end in time.
func reap(pid int) *syscall.WaitStatus {
	ended := make(chan *syscall.WaitStatus, 1)
	go func() {
		var status syscall.WaitStatus
		for {
			_, err := syscall.Wait4(pid, &status, 0, nil)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if err != nil {
				ended <- nil
				return
			}
			ended <- &status
			return
		}
	}()
	select {
	case status := <-ended:
		return status
	case <-time.After(reapLimit):
		return nil
	}
}

func describeEnd(status *syscall.WaitStatus) string {
	switch {
	case status == nil:
		return "closed its output and did not end"
	case status.Signaled():
		return "killed by " + unix.SignalName(status.Signal())
	default:
		return fmt.Sprintf("exited with status %d", status.ExitStatus())
	}
}

// describeClone names the namespaces that a set of CLONE_NEW* flags makes.
func describeClone(flags uintptr) string {
	var names []string
	for _, n := range namespaceKinds() {
		if flags&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return "the same namespaces"
	}
	return "a new " + strings.Join(names, " and ") + " namespace"
}
