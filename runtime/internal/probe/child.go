package probe

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// FactMain is the verb `probe-fact`, by which the probe runs its own program as a child:
// it tries the facts given by id and writes a line of JSON before and after each to
// stdout. The namespaces that keep the trials apart from the sandbox are made by the
// parent: the verb is not for people. It returns the exit code.
func FactMain(args []string) int {
	return factMain(args, families())
}

func factMain(args []string, all []family) int {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
		return exitInternal
	}
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	t := &trial{helper: []string{os.Args[0], verb}}
	flags.StringVar(&t.scratch, "scratch", "", "a `directory` to work in")
	flags.StringVar(&t.dataErrno, "data-errno", "", "why that is not on the data directory's file system")
	helper := flags.String("helper", "", "be a helper `process` of a fact: hold, allocate")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *helper != "" {
		return helperMain(*helper, flags.Args())
	}
	f, err := familyOf(all, flags.Args())
	if err != nil {
		return exitUsage
	}
	return tryFacts(f, t, json.NewEncoder(os.Stdout))
}

func tryFacts(f family, t *trial, output *json.Encoder) int {
	if f.enter != nil {
		if err := f.enter(); err != nil {
			failure := no(err, "prepare %s", describeClone(f.clone))
			if output.Encode(message{EnterFailed: &failure}) != nil {
				return exitInternal
			}
			return exitOK
		}
	}
	for _, tried := range f.facts {
		if output.Encode(message{Trying: tried.id}) != nil {
			return exitInternal
		}
		began := time.Now()
		r := try(tried, t)
		r.ElapsedMs = time.Since(began).Milliseconds()
		if output.Encode(message{Tried: tried.id, Result: &r}) != nil {
			return exitInternal
		}
	}
	return exitOK
}

// try runs one fact; a panic in it is a crash of that fact only.
func try(f fact, t *trial) (r Result) {
	defer func() {
		if cause := recover(); cause != nil {
			r = Result{State: Crash, Detail: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	return f.run(t)
}

// familyOf finds the family that all the ids belong to and keeps only their facts.
func familyOf(all []family, ids []string) (family, error) {
	for _, f := range all {
		var kept []fact
		for _, id := range ids {
			for _, candidate := range f.facts {
				if candidate.id == id {
					kept = append(kept, candidate)
				}
			}
		}
		if len(kept) == 0 {
			continue
		}
		if len(kept) != len(ids) {
			return family{}, fmt.Errorf("facts of more than one family: %v", ids)
		}
		f.facts = kept
		return f, nil
	}
	return family{}, fmt.Errorf("no such facts: %v", ids)
}

// onThread runs fn on a thread of its own that ends with it, for calls that change the
// thread for good: setns, seccomp filters, keyrings.
func onThread(fn func() Result) Result {
	result := make(chan Result, 1)
	go func() {
		// Never unlocked: the runtime then ends the thread with the goroutine.
		runtime.LockOSThread()
		result <- fn()
	}()
	return <-result
}
