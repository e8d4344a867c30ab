package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
)

func TestClusterStartsAndStopsInOrder(t *testing.T) {
	cluster := newCluster(t, full)
	cluster.start(t)
	status := cluster.awaitReady(t)
	for role, program := range map[string]string{
		controlPlaneRole: "sandkube-runtime control-plane",
		nodeInitKind:     "sandkube-supervisor node-init",
		containerdKind:   "sandkube-containerd containerd",
		nodeKind:         "sandkube-runtime node",
	} {
		r := roleOf(t, status, role)
		if line := commandLine(t, r.PID); !strings.Contains(line, program) {
			t.Errorf("the process of %s is %q", role, line)
		}
		if r.State != control.RoleRunning || r.Restarts != 0 || r.LastExit != nil {
			t.Errorf("status is %+v", r)
		}
	}
	if elapsed := roleOf(t, status, nodeInitKind).Services["mounts"].ElapsedMs; elapsed == nil {
		t.Error("the time that the mounts took is not told")
	}
	for path, mode := range map[string]os.FileMode{
		cluster.spec.Cluster.Directory:              os.ModeDir | 0o700,
		cluster.spec.AdminKubeconfig():              0o600,
		cluster.spec.ControlSocket():                os.ModeSocket | 0o600,
		cluster.spec.PKI("ca.key"):                  0o600,
		cluster.spec.Log(nodeKind):                  0o600,
		cluster.spec.Views()[0].NodePath("kubelet"): os.ModeDir | 0o700,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s has mode %s, want %s", path, info.Mode(), mode)
		}
	}
	for name, program := range map[string]string{"sandkube-cni": "sandkube-oci", "sandkube-runc": "runc"} {
		if target, err := os.Readlink(cluster.spec.Views()[0].NodePath("bin", name)); err != nil || target != cluster.spec.Program(program) {
			t.Errorf("%s is a link to %q (%v)", name, target, err)
		}
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
	want := "stopping, node stopped, network stopped, containerd stopped, node-init stopped, control-plane stopped, stopped"
	if strings.Join(stopped, ", ") != want {
		t.Errorf("events are %v, want %s", stopped, want)
	}
	wantNotes := "host-setup, node has a variable, node stopped, network stopped, containerd stopped, control-plane stopped, host-restore"
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
		return event.Role == nodeKind && event.State == control.Stopped && event.Signal == "killed"
	})
	if !killed {
		t.Errorf("the node role was not killed: %+v", events)
	}
	cluster.checkGone(t)
}
