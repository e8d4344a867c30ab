package ociadapter

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// container is a cgroup with processes in it, and the state that runc would have of it.
type container struct {
	root    string
	cgroups map[string]string
	init    *exec.Cmd
}

// newContainer starts a shell that never stops forking, in cgroups of its own.
func newContainer(t *testing.T) *container {
	t.Helper()
	made := &container{root: t.TempDir(), cgroups: map[string]string{}}
	for _, controller := range []string{"devices", "pids"} {
		parent := filepath.Join("/sys/fs/cgroup", controller)
		if _, err := os.Stat(filepath.Join(parent, "cgroup.procs")); err != nil {
			t.Skipf("needs the version 1 cgroup controller %s: %v", controller, err)
		}
		path, err := os.MkdirTemp(parent, "sandkube-test-")
		if err != nil {
			t.Fatal(err)
		}
		made.cgroups[controller] = path
		t.Cleanup(func() {
			if err := syscall.Rmdir(path); err != nil {
				t.Errorf("remove %s: %v", path, err)
			}
		})
	}
	// The shell joins the cgroups before it forks.
	var script strings.Builder
	for _, path := range made.cgroups {
		fmt.Fprintf(&script, "echo $$ > %s/cgroup.procs\n", path)
	}
	script.WriteString("again() { sleep 0.01; again & }; again & again & again & echo ready; exec sleep 600")
	made.init = exec.CommandContext(t.Context(), "/bin/sh", "-c", script.String())
	output, err := made.init.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := made.init.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	made.writeState(t)
	return made
}

func (c *container) writeState(t *testing.T) {
	t.Helper()
	pid := c.init.Process.Pid
	stat := readFile(t, fmt.Sprintf("/proc/%d/stat", pid))
	start, err := strconv.ParseUint(strings.Fields(stat[strings.LastIndexByte(stat, ')'):])[20], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(containerState{InitPid: pid, InitStart: start, Cgroups: c.cgroups})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.root, "id"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(c.root, "id", "state.json"), string(encoded))
}

func (c *container) call(t *testing.T, arguments ...string) {
	t.Helper()
	call := parseCommandLine(append([]string{"--root", c.root}, arguments...))
	if err := call.endSharedProcesses(); err != nil {
		t.Fatal(err)
	}
}

func (c *container) processes(t *testing.T) []string {
	t.Helper()
	return strings.Fields(readFile(t, filepath.Join(c.cgroups["devices"], "cgroup.procs")))
}

func (c *container) killInit() {
	_ = c.init.Process.Kill()
	_ = c.init.Wait()
}

func TestDeleteEndsWhatTheFirstProcessHasLeft(t *testing.T) {
	container := newContainer(t)
	container.killInit()
	if len(container.processes(t)) == 0 {
		t.Fatal("there is nothing to end")
	}
	container.call(t, "delete", "id")
	if left := container.processes(t); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

func TestDeleteOfARunningContainerNeedsForce(t *testing.T) {
	container := newContainer(t)
	container.call(t, "delete", "id")
	if limit := readFile(t, filepath.Join(container.cgroups["pids"], "pids.max")); limit != "max\n" || len(container.processes(t)) == 0 {
		t.Errorf("pids.max is %q, processes %v", limit, container.processes(t))
	}
	container.call(t, "delete", "--force", "id")
	container.killInit()
	if left := container.processes(t); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

func TestKillFirstStopsTheForking(t *testing.T) {
	container := newContainer(t)
	container.call(t, "kill", "--all", "id", "15")
	if limit := readFile(t, filepath.Join(container.cgroups["pids"], "pids.max")); limit != "max\n" {
		t.Errorf("pids.max is %q after SIGTERM", limit)
	}
	container.call(t, "kill", "--all", "id", "9")
	if limit := readFile(t, filepath.Join(container.cgroups["pids"], "pids.max")); limit != "0\n" {
		t.Errorf("pids.max is %q after SIGKILL", limit)
	}
	container.call(t, "delete", "--force", "id")
	container.killInit()
}

func TestAContainerThatRuncDoesNotKnowIsLeftToRunc(t *testing.T) {
	call := parseCommandLine([]string{"--root", t.TempDir(), "delete", "--force", "id"})
	if err := call.endSharedProcesses(); err != nil {
		t.Error(err)
	}
}
