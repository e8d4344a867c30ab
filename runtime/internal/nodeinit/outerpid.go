package nodeinit

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// OuterProcesses looks processes of this pid namespace up in the procfs of the one
// above, where the cluster's users see them.
type OuterProcesses struct {
	proc *os.Root
	self int
}

// OpenOuterProcesses is to be called before Prepare covers the outer procfs.
func OpenOuterProcesses() (*OuterProcesses, error) {
	proc, err := os.OpenRoot("/proc")
	if err != nil {
		return nil, err
	}
	link, err := proc.Readlink("self")
	if err != nil {
		return nil, err
	}
	self, err := strconv.Atoi(link)
	if err != nil {
		return nil, fmt.Errorf("/proc/self is a link to %q", link)
	}
	return &OuterProcesses{proc: proc, self: self}, nil
}

// Self is this process's own outer number.
func (o *OuterProcesses) Self() int { return o.self }

const (
	// commandLineLimit is how long a child that has just been started may have no
	// command line yet: the kernel shows it a moment after it has begun the program,
	// which is longer where the processor is busy.
	commandLineLimit = 2 * time.Second
	commandLinePoll  = time.Millisecond
)

// PID returns the outer number of a child of this process, or 0 when it is not found.
// The child is recognised by what both procfs tell alike: the time of its start, and
// its command line, which differs between children that were started at one tick.
func (o *OuterProcesses) PID(pid int) int {
	for deadline := time.Now().Add(commandLineLimit); ; time.Sleep(commandLinePoll) {
		stat, statErr := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		commandLine, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		_, started, ok := parseStat(stat)
		if statErr != nil || err != nil || !ok || time.Now().After(deadline) {
			return 0
		}
		if len(commandLine) > 0 {
			return o.find(started, commandLine)
		}
	}
}

// find returns the number of the only child that fits, or 0.
func (o *OuterProcesses) find(started string, commandLine []byte) int {
	directory, err := o.proc.Open(".")
	if err != nil {
		return 0
	}
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return 0
	}
	found := 0
	for _, name := range names {
		outer, err := strconv.Atoi(name)
		if err != nil || !o.isChild(name, started, commandLine) {
			continue
		}
		if found != 0 {
			return 0
		}
		found = outer
	}
	return found
}

func (o *OuterProcesses) isChild(name, started string, commandLine []byte) bool {
	stat, err := o.proc.ReadFile(name + "/stat")
	if err != nil {
		return false
	}
	parent, outerStarted, ok := parseStat(stat)
	if !ok || parent != o.self || outerStarted != started {
		return false
	}
	outerCommandLine, err := o.proc.ReadFile(name + "/cmdline")
	return err == nil && bytes.Equal(outerCommandLine, commandLine)
}

// parseStat returns the fields 4 (ppid) and 22 (starttime) of proc_pid_stat(5).
func parseStat(stat []byte) (parent int, started string, ok bool) {
	// The name, in parentheses, may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, "", false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 20 {
		return 0, "", false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	return parent, string(fields[19]), err == nil
}
