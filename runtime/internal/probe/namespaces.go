package probe

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

type namespaceKind struct {
	name string
	flag uintptr
}

func namespaceKinds() []namespaceKind {
	return []namespaceKind{
		{"mount", unix.CLONE_NEWNS},
		{"pid", unix.CLONE_NEWPID},
		{"network", unix.CLONE_NEWNET},
		{"uts", unix.CLONE_NEWUTS},
		{"ipc", unix.CLONE_NEWIPC},
		{"cgroup", unix.CLONE_NEWCGROUP},
		{"user", unix.CLONE_NEWUSER},
	}
}

func namespaceFacts() []fact {
	var facts []fact
	for _, kind := range namespaceKinds() {
		facts = append(facts, fact{"namespace." + kind.name, func(*trial) Result {
			if err := cloneInto(kind.flag); err != nil {
				return no(err, "clone into a new %s namespace", kind.name)
			}
			return yes("a process was cloned into a new %s namespace", kind.name)
		}})
	}
	return append(facts, fact{"setns.pid", trySetnsPid})
}

// cloneInto starts a process with the CLONE_NEW* flags. The process executes an empty
// path, which fails with ENOENT after the clone has succeeded: the cheapest process
// that there is.
func cloneInto(flags uintptr) error {
	pid, err := syscall.ForkExec("", []string{"none"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Cloneflags: flags},
	})
	if err == nil {
		return fmt.Errorf("process %d executed an empty path", pid)
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// trySetnsPid does what `runc exec` does: from outside, it joins the pid namespace of a
// running process and starts a process there. gVisor before 2025-06-26 answers EINVAL.
func trySetnsPid(t *trial) Result {
	return onThread(func() Result {
		pid, stdin, err := t.startHelper(unix.CLONE_NEWPID, helperHold)
		if err != nil {
			return no(err, "make a pid namespace to join")
		}
		defer killOne(pid)
		defer stdin.Close()
		namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", pid))
		if err != nil {
			return no(err, "open the pid namespace of a process")
		}
		defer namespace.Close()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWPID); err != nil {
			return no(err, "setns(2) into the pid namespace of a process")
		}
		if err := cloneInto(0); err != nil {
			return no(err, "start a process in the joined pid namespace")
		}
		return yes("a process was started in the pid namespace of another")
	})
}

// killOne ends one process that this one started.
func killOne(pid int) {
	_ = syscall.Kill(pid, syscall.SIGKILL)
	reap(pid)
}
