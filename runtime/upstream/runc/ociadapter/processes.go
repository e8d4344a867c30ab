package ociadapter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A container that shares the node's pid namespace does not end with its first
// process. runc then kills what it finds in the container's cgroup: it looks once,
// and freezes the cgroup first so that nothing can fork meanwhile. gVisor has no
// freezer, so a process that forks at that moment lives on; the cgroup, still in
// use, can not be removed, and runc's delete fails, since it waits only on EBUSY
// where gVisor says ENOTEMPTY. The adapter therefore stops the forking by the
// cgroup's pids limit, which gVisor does enforce, and waits until all have ended.
const (
	endLimit = 5 * time.Second
	endPoll  = 2 * time.Millisecond
)

// containerState is what the adapter reads of runc's state.json.
type containerState struct {
	InitPid   int               `json:"init_process_pid"`
	InitStart uint64            `json:"init_process_start"`
	Cgroups   map[string]string `json:"cgroup_paths"`
}

func (c *commandLine) killsContainer() bool {
	return c.verb == "kill" && len(c.operands) > 1 && isKill(c.operands[1])
}

func isKill(signal string) bool {
	return signal == strconv.Itoa(int(unix.SIGKILL)) || strings.TrimPrefix(strings.ToUpper(signal), "SIG") == "KILL"
}

// endSharedProcesses prepares a `kill` or a `delete` of a container that has no pid
// namespace of its own. It leaves alone what runc will refuse: the delete of a
// container that runs, and any container that runc does not know.
func (c *commandLine) endSharedProcesses() error {
	deletes := c.verb == "delete" && len(c.operands) > 0
	if !deletes && !c.killsContainer() {
		return nil
	}
	state, err := c.readState()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if deletes && !c.force && state.running() {
		return nil
	}
	if err := forbidForks(state.cgroup("pids")); err != nil {
		return err
	}
	if !deletes {
		// runc itself kills what is there, now that nothing can be added.
		return nil
	}
	return endAll(state.cgroup("devices"))
}

func (c *commandLine) readState() (*containerState, error) {
	content, err := os.ReadFile(filepath.Join(c.root, c.operands[0], "state.json"))
	if err != nil {
		return nil, err
	}
	var state containerState
	if err := json.Unmarshal(content, &state); err != nil {
		return nil, fmt.Errorf("state of container %s: %w", c.operands[0], err)
	}
	return &state, nil
}

// cgroup is the container's directory in the hierarchy of a controller; with cgroup
// version 2 there is one for all.
func (s *containerState) cgroup(controller string) string {
	if path := s.Cgroups[controller]; path != "" {
		return path
	}
	return s.Cgroups[""]
}

// running says whether the first process lives, as runc does: a pid alone may
// belong to another process by now. The fields are those of proc(5), /proc/pid/stat.
func (s *containerState) running() bool {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.InitPid))
	if err != nil {
		return false
	}
	const startTime = 22 - 3
	_, rest, _ := strings.Cut(string(content[strings.LastIndexByte(string(content), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) <= startTime || fields[0] == "Z" || fields[0] == "X" {
		return false
	}
	return fields[startTime] == strconv.FormatUint(s.InitStart, 10)
}

// forbidForks makes every fork in the cgroup and the ones below it fail.
func forbidForks(cgroup string) error {
	return eachCgroup(cgroup, func(path string) error {
		err := os.WriteFile(filepath.Join(path, "pids.max"), []byte("0"), 0)
		// Without the limit what is left to do is to kill in rounds.
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return err
	})
}

// endAll kills all processes of a cgroup, in rounds, until there is none. Giving up
// is no error here: runc then says what it can not remove.
func endAll(cgroup string) error {
	for deadline := time.Now().Add(endLimit); time.Now().Before(deadline); time.Sleep(endPoll) {
		left := 0
		err := eachCgroup(cgroup, func(path string) error {
			content, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
			if err != nil {
				return err
			}
			for field := range strings.FieldsSeq(string(content)) {
				pid, err := strconv.Atoi(field)
				if err != nil || pid <= 0 {
					continue
				}
				left++
				if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
					return fmt.Errorf("kill process %d: %w", pid, err)
				}
			}
			return nil
		})
		if err != nil || left == 0 {
			return err
		}
	}
	return nil
}

// eachCgroup visits a cgroup and the ones below it; those that are gone are skipped.
func eachCgroup(cgroup string, visit func(path string) error) error {
	if cgroup == "" {
		return nil
	}
	return filepath.WalkDir(cgroup, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = visit(path)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			return nil
		}
		return err
	})
}
