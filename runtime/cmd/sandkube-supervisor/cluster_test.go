package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/control/controltest"
	"sandkube.dev/runtime/internal/nodespec"
)

// limit is how long a test waits for one thing to happen.
const limit = 20 * time.Second

// testCluster is a cluster of stand-ins, with a real supervisor.
type testCluster struct {
	spec       *nodespec.NodeSpec
	specPath   string
	supervisor *exec.Cmd
	// ended is closed when the supervisor has ended, after which output is complete.
	ended  chan struct{}
	output *strings.Builder
}

// newCluster writes a spec, after change, into a directory of the test's own.
func newCluster(t *testing.T, change func(*nodespec.NodeSpec)) *testCluster {
	t.Helper()
	spec, err := nodespec.Load("../../../protocol/testdata/node-spec-full-kernel.json")
	if err != nil {
		t.Fatal(err)
	}
	// The default temporary directory of a test has too long a name for a socket below it.
	parent, err := os.MkdirTemp("", "sk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	spec.Cluster.Directory = filepath.Join(parent, "default")
	spec.Programs = filepath.Join(parent, "programs")
	spec.ControlPlane.Port = freePort(t)
	spec.Node.StandIns.Sysctls = nil
	spec.Node.Kubelet.Environment = map[string]string{"FROM_SPEC": "a variable"}
	change(spec)

	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(spec.Programs, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range programNames {
		if err := os.Symlink(executable, spec.Program(name)); err != nil {
			t.Fatal(err)
		}
	}
	c := &testCluster{spec: spec, specPath: spec.Path("node-spec.json")}
	if err := os.MkdirAll(spec.Cluster.Directory, 0o700); err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.specPath, document, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func full(*nodespec.NodeSpec) {}

func twoNodes(spec *nodespec.NodeSpec) {
	spec.Nodes = append(spec.Nodes, nodespec.Node{Name: "node-2", Address: "10.42.1.1", PodRange: "10.42.1.0/24", CgroupRoot: "/sandkube/default/node-2"})
}

func controlPlaneOnly(spec *nodespec.NodeSpec) { spec.Node, spec.Nodes = nil, nil }

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// start starts the supervisor.
func (c *testCluster) start(t *testing.T) {
	t.Helper()
	if c.spec.Node != nil && os.Getuid() != 0 {
		t.Skip("needs root")
	}
	c.output = &strings.Builder{}
	c.supervisor = exec.Command(c.spec.Program("sandkube-supervisor"), "run", "--spec", c.specPath)
	c.supervisor.Stdout, c.supervisor.Stderr = c.output, c.output
	c.supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	c.ended = ended
	supervisor := c.supervisor
	go func() {
		defer close(ended)
		_ = supervisor.Wait()
	}()
	t.Cleanup(func() {
		_ = supervisor.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the supervisor wrote:\n%s", c.output)
		}
	})
}

// awaitEnd waits for the supervisor's end and returns its exit code.
func (c *testCluster) awaitEnd(t *testing.T) int {
	t.Helper()
	select {
	case <-c.ended:
	case <-time.After(limit):
		t.Fatalf("waited %s for the end of the supervisor", limit)
	}
	return c.supervisor.ProcessState.ExitCode()
}

// awaitStatus waits until the supervisor answers with a status that fits.
func (c *testCluster) awaitStatus(t *testing.T, what string, fits func(control.Status) bool) control.Status {
	t.Helper()
	var status control.Status
	until(t, what, func() bool {
		connection, err := net.Dial("unix", c.spec.ControlSocket())
		if err != nil {
			return false
		}
		_ = connection.Close()
		status = controltest.Status(t, c.spec.ControlSocket())
		return fits(status)
	})
	return status
}

// awaitReady waits until all roles of the cluster are ready.
func (c *testCluster) awaitReady(t *testing.T) control.Status {
	t.Helper()
	// The control plane and the network, three roles a node, and network-init.
	want := 2 + 3*len(c.spec.Nodes)
	switch len(c.spec.Nodes) {
	case 0:
		want = 1
	case 1:
	default:
		want++
	}
	return c.awaitStatus(t, "all roles to be ready", func(status control.Status) bool {
		ready := 0
		for _, role := range status.Roles {
			if role.Ready && role.PID != 0 {
				ready++
			}
		}
		return ready == want
	})
}

// stop asks the supervisor to stop, and returns the events of that.
func (c *testCluster) stop(t *testing.T, grace time.Duration) []control.Event {
	t.Helper()
	ms := grace.Milliseconds()
	events := controltest.Open(t, c.spec.ControlSocket(), control.Request{Command: "stop", GraceMs: &ms}).Rest()
	if code := c.awaitEnd(t); code != 0 {
		t.Errorf("the supervisor ended with exit code %d", code)
	}
	return events
}

// processes returns the numbers of all live processes that name the cluster's
// directory in their arguments.
func (c *testCluster) processes(t *testing.T) []int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(content), c.spec.Cluster.Directory+"/") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, pid)
		}
	}
	return found
}

// until fails the test when a condition does not come true within the limit.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}

func roleOf(t *testing.T, status control.Status, name string) control.RoleStatus {
	t.Helper()
	for _, role := range status.Roles {
		if role.Role == name {
			return role
		}
	}
	t.Fatalf("no role %s in %+v", name, status)
	return control.RoleStatus{}
}

func commandLine(t *testing.T, pid int) string {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(content), "\x00", " ")
}
