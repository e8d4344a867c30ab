// Package probe finds out what the surrounding sandbox can do, by trying.
//
// Every fact is tried for real, in a child process with a time limit: a call that
// hangs or kills its caller is then itself a fact and not the end of the probe. The
// children work in private namespaces that the kernel drops with them, so nothing is
// left in the sandbox even when the probe is killed.
package probe

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// State says how a trial ended.
type State string

const (
	// Yes means that what was tried works, or is present.
	Yes State = "yes"
	// No means that it was refused or is absent; Errno then says how.
	No State = "no"
	// Timeout means that it did not return within the time limit and was killed.
	Timeout State = "timeout"
	// Crash means that it took its process down.
	Crash State = "crash"
	// Skipped means that it was not tried, for the reason in Detail.
	Skipped State = "skipped"
)

// Result is the outcome of trying one fact.
type Result struct {
	State State `json:"state"`
	// Errno is the symbolic name of the error number, as "EINVAL".
	Errno string `json:"errno,omitempty"`
	// Detail says for people what was tried and what came of it.
	Detail string `json:"detail"`
	// Value is what was read or measured; its form belongs to the fact.
	Value     string `json:"value,omitempty"`
	ElapsedMs int64  `json:"elapsedMs"`
}

// fact is one thing that can be tried.
type fact struct {
	id  string
	run func(*trial) Result
}

// trial is what a fact is given to work with.
type trial struct {
	// scratch is a directory of this probe's own on the data directory's file system,
	// or, where that cannot be written to, in the temporary directory.
	scratch string
	// dataErrno is the name of the error that kept scratch off the data directory's
	// file system; empty when there was none.
	dataErrno string
	// helper is the start of the command line that runs this program as a helper.
	helper []string
}

// place makes an empty directory for one fact's own use.
func (t *trial) place(name string) (string, error) {
	if t.scratch == "" {
		return "", fmt.Errorf("no directory to work in: %w", unix.EROFS)
	}
	return os.MkdirTemp(t.scratch, name+"-")
}

// family is a group of facts that one child process tries one after another, because
// they need the same kind of isolation.
type family struct {
	name string
	// clone holds the CLONE_NEW* flags that the child is started with.
	clone uintptr
	// enter prepares the new namespaces; when it fails, so do all facts of the family.
	enter func() error
	facts []fact
}

// families lists every fact. Families whose trials take longest come first, so that
// no long one is left to run alone at the end.
func families() []family {
	return []family{
		{name: "cgroups", clone: unix.CLONE_NEWNS, enter: makeMountsPrivate, facts: cgroupFacts()},
		{name: "network", clone: unix.CLONE_NEWNET, facts: networkFacts()},
		{name: "mounts", clone: unix.CLONE_NEWNS | unix.CLONE_NEWPID, enter: makeMountsPrivate, facts: mountFacts()},
		{name: "mount-program", clone: unix.CLONE_NEWNS, enter: makeMountsPrivate, facts: mountProgramFacts()},
		{name: "namespaces", facts: namespaceFacts()},
		{name: "overlay", clone: unix.CLONE_NEWNS, enter: makeMountsPrivate, facts: overlayFacts()},
		{name: "keyrings", clone: unix.CLONE_NEWUSER, facts: keyringFacts()},
		{name: "processes", facts: slices.Concat(processFacts(), loopbackFacts())},
		{name: "readings", facts: slices.Concat(procfsFacts(), cgroupReadings())},
	}
}

func yes(format string, args ...any) Result {
	return Result{State: Yes, Detail: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Result {
	return Result{State: Skipped, Detail: fmt.Sprintf(format, args...)}
}

// no reports a refusal; the error number is taken from err's chain when there is one.
func no(err error, format string, args ...any) Result {
	detail := fmt.Sprintf(format, args...)
	if err != nil {
		detail += ": " + err.Error()
	}
	return Result{State: No, Errno: errnoName(err), Detail: detail}
}

func (r Result) withValue(value string) Result {
	r.Value = strings.TrimSpace(value)
	return r
}

// errnoName is the symbolic name of the error number in err's chain, or "".
func errnoName(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	// One number with two names, of which the library knows the other.
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", int(errno))
}
