package probe

import (
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func processFacts() []fact {
	return []fact{
		{"seccomp.filter", trySeccompFilter},
		{"oom-score.lower", tryOomScore},
		{"process.pidfd", tryPidfd},
	}
}

// trySeccompFilter installs a filter that allows every system call.
func trySeccompFilter(*trial) Result {
	return onThread(func() Result {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return no(err, "prctl(PR_SET_NO_NEW_PRIVS)")
		}
		filter := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
		program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
		if errno != 0 {
			return no(errno, "seccomp(SECCOMP_SET_MODE_FILTER)")
		}
		return yes("a seccomp filter was installed")
	})
}

// tryOomScore lowers this process's oom_score_adj below its parent's and puts it back.
func tryOomScore(*trial) Result {
	const path, lowest = "/proc/self/oom_score_adj", -1000
	content, err := os.ReadFile(path)
	if err != nil {
		return no(err, "read the OOM score adjustment")
	}
	before := strings.TrimSpace(string(content))
	score, err := strconv.Atoi(before)
	if err != nil {
		return no(err, "read the OOM score adjustment")
	}
	if score == lowest {
		return yes("the OOM score adjustment is the lowest there is").withValue(before)
	}
	lower := strconv.Itoa(score - 1)
	if err := os.WriteFile(path, []byte(lower), 0); err != nil {
		return no(err, "lower the OOM score adjustment from %s to %s", before, lower).withValue(before)
	}
	if err := os.WriteFile(path, []byte(before), 0); err != nil {
		return no(err, "raise the OOM score adjustment from %s to %s", lower, before).withValue(before)
	}
	return yes("the OOM score adjustment was lowered from %s to %s", before, lower).withValue(before)
}

func tryPidfd(*trial) Result {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return no(err, "pidfd_open(2)")
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != nil {
		return no(err, "pidfd_send_signal(2)")
	}
	return yes("a pidfd was opened")
}
