package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tryMemoryEnforced lets a process in a cgroup allocate more than the group's limit and
// looks whether it is stopped. In gVisor it is not: limits are accepted and only the
// sandbox's own limit outside counts (google/gvisor#2520).
func tryMemoryEnforced(t *trial) Result {
	root, limitFile, release, reason := memoryHierarchy(t)
	if root == "" {
		return skipped("%s", reason)
	}
	defer release()
	removeLeftoverGroups(root)
	group := filepath.Join(root, fmt.Sprintf("%s%d-%d", leftoverPrefix, os.Getpid(), time.Now().UnixNano()))
	if err := os.Mkdir(group, 0o755); err != nil {
		return no(err, "make a memory cgroup")
	}
	defer removeGroup(group)
	return overstep(t, group, limitFile)
}

// memoryHierarchy finds a hierarchy with the memory controller, or mounts one for the
// time until release is called. root is empty when there is none, for the given reason.
func memoryHierarchy(t *trial) (root, limitFile string, release func(), reason string) {
	mounts, err := readMounts()
	if err != nil {
		return "", "", nil, err.Error()
	}
	for _, m := range mounts {
		if m.filesystem == "cgroup" && slices.Contains(controllersOf(m.options), "memory") && unix.Access(m.point, unix.W_OK) == nil {
			return m.point, "memory.limit_in_bytes", func() {}, ""
		}
	}
	for _, m := range mounts {
		if m.filesystem != "cgroup2" {
			continue
		}
		delegated, err := os.ReadFile(filepath.Join(m.point, "cgroup.subtree_control"))
		if err == nil && slices.Contains(strings.Fields(string(delegated)), "memory") {
			return m.point, "memory.max", func() {}, ""
		}
	}
	if slices.Contains(controllersInUnified(mounts), "memory") {
		return "", "", nil, "cgroup2 has the memory controller and does not hand it down"
	}
	place, err := t.place("cgroup-memory")
	if err != nil {
		return "", "", nil, "make a mount point: " + err.Error()
	}
	if err := mountController("memory", place); err != nil {
		return "", "", nil, "the memory controller cannot be mounted: " + err.Error()
	}
	return place, "memory.limit_in_bytes", func() { unmount(place) }, ""
}

// overstep runs a process in the group that allocates four times the group's limit.
func overstep(t *trial, group, limitFile string) Result {
	const limitBytes = 4 << 20
	limit := []byte(strconv.Itoa(limitBytes))
	if err := os.WriteFile(filepath.Join(group, limitFile), limit, 0); err != nil {
		return no(err, "write %s", limitFile)
	}
	// Else the process might be swapped out in place of being stopped. Absent where
	// swap is not counted.
	_ = os.WriteFile(filepath.Join(group, "memory.memsw.limit_in_bytes"), limit, 0)
	_ = os.WriteFile(filepath.Join(group, "memory.swap.max"), []byte("0"), 0)

	pid, stdin, err := t.startHelper(0, helperAllocate, filepath.Join(group, "cgroup.procs"), strconv.Itoa(4*limitBytes))
	if err != nil {
		return no(err, "start a process to allocate memory")
	}
	defer stdin.Close()
	var status syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	const tried = "a process in a cgroup of 4 MiB allocated 16 MiB"
	switch {
	case err != nil:
		return no(err, "wait for a process that allocates memory")
	case status.Signaled():
		return yes("%s and was killed by %s", tried, unix.SignalName(status.Signal()))
	case status.ExitStatus() == exitOK:
		return no(nil, "%s and was not stopped", tried)
	case status.ExitStatus() == exitCannotJoin:
		return no(nil, "a process could not join a memory cgroup")
	default:
		return yes("%s and exited with status %d", tried, status.ExitStatus())
	}
}

// removeGroup removes an emptied cgroup; the kernel may need a moment to let it go.
func removeGroup(group string) {
	const attempts, pause = 20, 5 * time.Millisecond
	for range attempts {
		if !errors.Is(os.Remove(group), unix.EBUSY) {
			return
		}
		time.Sleep(pause)
	}
}

// removeLeftoverGroups removes the cgroups of probes that were killed.
func removeLeftoverGroups(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !strings.HasPrefix(entry.Name(), leftoverPrefix) || time.Since(info.ModTime()) < leftoverAge {
			continue
		}
		_ = os.Remove(filepath.Join(root, entry.Name()))
	}
}
