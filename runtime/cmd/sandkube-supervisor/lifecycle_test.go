package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/control/controltest"
	"sandkube.dev/runtime/internal/nodespec"
)

func TestClusterStartsAndStopsInOrder(t *testing.T) {
	cluster := newCluster(t, full)
	cluster.start(t)
	status := cluster.awaitReady(t)
	for role, program := range map[string]string{
		controlPlaneRole: "sandkube-runtime control-plane",
		nodeInitRole:     "sandkube-supervisor node-init",
		containerdRole:   "sandkube-containerd containerd",
		nodeRole:         "sandkube-runtime node",
	} {
		r := roleOf(t, status, role)
		if line := commandLine(t, r.PID); !strings.Contains(line, program) {
			t.Errorf("the process of %s is %q", role, line)
		}
		if r.State != control.RoleRunning || r.Restarts != 0 || r.LastExit != nil {
			t.Errorf("status is %+v", r)
		}
	}
	if elapsed := roleOf(t, status, nodeInitRole).Services["mounts"].ElapsedMs; elapsed == nil {
		t.Error("the time that the mounts took is not told")
	}
	for path, mode := range map[string]os.FileMode{
		cluster.spec.Cluster.Directory:   os.ModeDir | 0o700,
		cluster.spec.AdminKubeconfig():   0o600,
		cluster.spec.ControlSocket():     os.ModeSocket | 0o600,
		cluster.spec.PKI("ca.key"):       0o600,
		cluster.spec.Log(nodeRole):       0o600,
		cluster.spec.NodePath("kubelet"): os.ModeDir | 0o700,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s has mode %s, want %s", path, info.Mode(), mode)
		}
	}
	if target, err := os.Readlink(cluster.spec.NodePath("bin", "sandkube-cni")); err != nil || target != cluster.spec.Program("sandkube-oci") {
		t.Errorf("sandkube-cni is a link to %q (%v)", target, err)
	}

	events := cluster.stop(t, limit)
	var stopped []string
	for _, event := range events {
		if event.Type == control.Role {
			stopped = append(stopped, event.Role+" "+string(event.State))
		} else {
			stopped = append(stopped, string(event.Type))
		}
	}
	want := "stopping, node stopped, containerd stopped, node-init stopped, control-plane stopped, stopped"
	if strings.Join(stopped, ", ") != want {
		t.Errorf("events are %v, want %s", stopped, want)
	}
	wantNotes := "host-setup, node has a variable, node stopped, containerd stopped, control-plane stopped, host-restore"
	if got := strings.Join(notes(t, cluster.spec), ", "); got != wantNotes {
		t.Errorf("what happened is %s, want %s", got, wantNotes)
	}
	cluster.checkGone(t)
}

// checkGone checks that a stopped cluster has left neither processes nor its socket,
// nor changes of the sandbox.
func (c *testCluster) checkGone(t *testing.T) {
	t.Helper()
	if left := c.processes(t); len(left) != 0 {
		t.Errorf("processes are left: %v", left)
	}
	for _, path := range []string{c.spec.ControlSocket(), markerOf(c.spec)} {
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left (%v)", path, err)
		}
	}
}

func TestClusterStartsAgain(t *testing.T) {
	cluster := newCluster(t, full)
	cluster.start(t)
	cluster.awaitReady(t)
	authority, err := os.ReadFile(cluster.spec.PKI("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	cluster.stop(t, 0)
	cluster.start(t)
	cluster.awaitReady(t)
	if again, err := os.ReadFile(cluster.spec.PKI("ca.crt")); err != nil || string(again) != string(authority) {
		t.Errorf("the authority is another one (%v)", err)
	}
	cluster.stop(t, 0)
	cluster.checkGone(t)
}

func TestSignalStopsTheCluster(t *testing.T) {
	cluster := newCluster(t, controlPlaneOnly)
	cluster.start(t)
	cluster.awaitReady(t)
	if err := cluster.supervisor.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := cluster.awaitEnd(t); code != 0 {
		t.Errorf("exit code is %d", code)
	}
	if got := strings.Join(notes(t, cluster.spec), ", "); got != "host-setup, control-plane stopped, host-restore" {
		t.Errorf("what happened is %s", got)
	}
	cluster.checkGone(t)
}

func TestEndOfTheTerminalIsNotTheClusters(t *testing.T) {
	cluster := newCluster(t, controlPlaneOnly)
	cluster.start(t)
	cluster.awaitReady(t)
	if err := cluster.supervisor.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	cluster.stop(t, 0)
}

func TestPodsThatOutlastTheirGraceAreKilled(t *testing.T) {
	cluster := newCluster(t, full)
	if err := os.WriteFile(cluster.spec.Path(stubbornFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.start(t)
	cluster.awaitReady(t)
	events := cluster.stop(t, 50*time.Millisecond)
	killed := slices.ContainsFunc(events, func(event control.Event) bool {
		return event.Role == nodeRole && event.State == control.Stopped && event.Signal == "killed"
	})
	if !killed {
		t.Errorf("the node role was not killed: %+v", events)
	}
	cluster.checkGone(t)
}

// A killed role is started again; the others go on.
func TestKilledRoleIsReplaced(t *testing.T) {
	for victim, survivors := range map[string][]string{
		controlPlaneRole: {nodeInitRole, containerdRole, nodeRole},
		containerdRole:   {controlPlaneRole, nodeInitRole, nodeRole},
		nodeRole:         {controlPlaneRole, nodeInitRole, containerdRole},
		nodeInitRole:     {controlPlaneRole},
	} {
		t.Run(victim, func(t *testing.T) {
			cluster := newCluster(t, full)
			cluster.start(t)
			before := cluster.awaitReady(t)
			killed := roleOf(t, before, victim)
			if err := syscall.Kill(killed.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			cluster.awaitStatus(t, "the exit to be told", func(status control.Status) bool {
				exit := roleOf(t, status, victim).LastExit
				return exit != nil && exit.Signal == "killed"
			})
			after := cluster.awaitReady(t)
			if r := roleOf(t, after, victim); r.PID == killed.PID || r.Restarts != 1 {
				t.Errorf("status is %+v, killed was %d", r, killed.PID)
			}
			for _, role := range survivors {
				if r := roleOf(t, after, role); r.PID != roleOf(t, before, role).PID {
					t.Errorf("%s has been replaced too", role)
				}
			}
			cluster.stop(t, 0)
			cluster.checkGone(t)
		})
	}
}

func TestKilledSupervisorTakesAllAlong(t *testing.T) {
	cluster := newCluster(t, full)
	if err := os.WriteFile(cluster.spec.Path(stubbornFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.start(t)
	cluster.awaitReady(t)
	if err := cluster.supervisor.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cluster.awaitEnd(t)
	until(t, "the end of all processes", func() bool { return len(cluster.processes(t)) == 0 })
	// What it has left does not keep the next one from starting.
	cluster.start(t)
	cluster.awaitReady(t)
	cluster.stop(t, 0)
	cluster.checkGone(t)
}

func TestSecondSupervisorGivesUp(t *testing.T) {
	cluster := newCluster(t, controlPlaneOnly)
	cluster.start(t)
	cluster.awaitReady(t)
	second := &testCluster{spec: cluster.spec, specPath: cluster.specPath}
	second.start(t)
	if code := second.awaitEnd(t); code != 1 {
		t.Errorf("exit code is %d", code)
	}
	if want := fmt.Sprintf("process %d", cluster.supervisor.Process.Pid); !strings.Contains(second.output.String(), want) {
		t.Errorf("the error does not name %s: %s", want, second.output)
	}
	cluster.awaitReady(t)
	cluster.stop(t, 0)
}

func TestStartFailsReadably(t *testing.T) {
	tests := []struct {
		name    string
		spec    func(*nodespec.NodeSpec)
		prepare func(t *testing.T, cluster *testCluster)
		want    string
	}{
		{"no spec", controlPlaneOnly, func(t *testing.T, c *testCluster) { c.specPath += ".missing" }, "node-spec.json.missing"},
		{"bad spec", controlPlaneOnly, func(t *testing.T, c *testCluster) {
			if err := os.WriteFile(c.specPath, []byte(`{"kind":"Pod"}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "kind"},
		{"host-setup fails", full, func(t *testing.T, c *testCluster) {
			if err := os.WriteFile(c.spec.Path(failingHostFile), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "make the bridge: operation not permitted"},
		{"port in use", controlPlaneOnly, func(t *testing.T, c *testCluster) {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", c.spec.ControlPlane.Port))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
		}, "address already in use"},
		{"path of the socket too long", func(spec *nodespec.NodeSpec) {
			spec.Node = nil
			spec.Cluster.Directory = filepath.Join(spec.Cluster.Directory, strings.Repeat("x", 100))
		}, func(*testing.T, *testCluster) {}, "control socket"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cluster := newCluster(t, test.spec)
			test.prepare(t, cluster)
			cluster.start(t)
			if code := cluster.awaitEnd(t); code != 1 {
				t.Errorf("exit code is %d", code)
			}
			lines := strings.Split(strings.TrimSpace(cluster.output.String()), "\n")
			if last := lines[len(lines)-1]; !strings.Contains(last, test.want) {
				t.Errorf("the last line is %q, want it to say %q", last, test.want)
			}
			cluster.checkGone(t)
		})
	}
}

// While the port is waited for, the supervisor answers, and then tells why it ends.
func TestFailureIsAnEvent(t *testing.T) {
	cluster := newCluster(t, controlPlaneOnly)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", cluster.spec.ControlPlane.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cluster.start(t)
	cluster.awaitStatus(t, "the control socket", func(control.Status) bool { return true })
	events := controltest.Open(t, cluster.spec.ControlSocket(), control.Request{Command: "events"}).Rest()
	fatal := slices.IndexFunc(events, func(event control.Event) bool { return event.Type == control.Fatal })
	if fatal < 0 || events[fatal].Role != supervisorRole || !strings.Contains(events[fatal].Message, "port") {
		t.Errorf("events are %+v", events)
	}
	if last := events[len(events)-1]; last.Type != control.AllStopped {
		t.Errorf("the last event is %+v", last)
	}
}

func TestEverythingStopsWhenTheDirectoryIsRemoved(t *testing.T) {
	cluster := newCluster(t, full)
	cluster.start(t)
	cluster.awaitReady(t)
	if _, err := os.Stat(markerOf(cluster.spec)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(cluster.spec.Cluster.Directory); err != nil {
		t.Fatal(err)
	}
	cluster.awaitEnd(t)
	cluster.checkGone(t)
	if _, err := os.Stat(cluster.spec.Cluster.Directory); !os.IsNotExist(err) {
		t.Errorf("the directory is there again (%v)", err)
	}
}

func TestRoleEnvironment(t *testing.T) {
	spec := &nodespec.NodeSpec{Programs: "/programs", Cluster: nodespec.Cluster{Directory: "/data"}}
	tests := []struct {
		name      string
		inherited []string
		want      string
	}{
		{"no PATH", []string{"A=1"}, "A=1 PATH=/programs:/data/node/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{"a PATH of the user's", []string{"PATH=/opt/bin::/bin", "A=1"}, "A=1 PATH=/programs:/data/node/bin:/opt/bin:/bin:/usr/sbin:/usr/bin:/sbin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(roleEnvironment(spec, test.inherited), " "); got != test.want {
				t.Errorf("environment is %s, want %s", got, test.want)
			}
		})
	}
}
