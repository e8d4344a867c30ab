package imagestore

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ownerLabel names, on a lease, the process that works under it.
const ownerLabel = "sandkube.dev/owner"

// owner is a process; its start time tells it from a later one with the same number.
type owner struct {
	pid   int
	start string // clock ticks after boot, field 22 of proc_pid_stat(5)
}

func currentOwner() (owner, error) {
	pid := os.Getpid()
	start, err := startOf(pid)
	if err != nil {
		return owner{}, err
	}
	return owner{pid: pid, start: start}, nil
}

func ownerOf(label string) owner {
	pid, start, _ := strings.Cut(label, "-")
	number, err := strconv.Atoi(pid)
	if err != nil {
		return owner{}
	}
	return owner{pid: number, start: start}
}

func (o owner) String() string { return fmt.Sprintf("%d-%s", o.pid, o.start) }

func (o owner) isAlive() bool {
	start, err := startOf(o.pid)
	return err == nil && start == o.start
}

func startOf(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The second field, the program's name in parentheses, may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const startField = 22 - 3
	if len(fields) <= startField {
		return "", fmt.Errorf("/proc/%d/stat has %d fields behind the name", pid, len(fields))
	}
	return string(fields[startField]), nil
}
