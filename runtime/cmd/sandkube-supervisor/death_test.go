package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"sandkube.dev/runtime/internal/control"
)

// A killed role is started again; the others go on.
func TestKilledRoleIsReplaced(t *testing.T) {
	for victim, survivors := range map[string][]string{
		controlPlaneRole: {nodeInitKind, containerdKind, nodeKind},
		containerdKind:   {controlPlaneRole, nodeInitKind, nodeKind},
		nodeKind:         {controlPlaneRole, nodeInitKind, containerdKind},
		nodeInitKind:     {controlPlaneRole},
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

// With several nodes none takes the others along, nor the network; but the network's
// namespace holds links of pods on all of them.
func TestKilledPartOfSeveralNodes(t *testing.T) {
	all := []string{controlPlaneRole, networkInitRole, networkRole, nodeInitKind, containerdKind, nodeKind, "node-init-2", "containerd-2", "node-2"}
	for victim, replaced := range map[string][]string{
		"node-init-2":   {"node-init-2", "containerd-2", "node-2"},
		nodeInitKind:    {nodeInitKind, containerdKind, nodeKind},
		"containerd-2":  {"containerd-2"},
		networkRole:     {networkRole},
		networkInitRole: {networkInitRole, networkRole, nodeInitKind, containerdKind, nodeKind, "node-init-2", "containerd-2", "node-2"},
	} {
		t.Run(victim, func(t *testing.T) {
			cluster := newCluster(t, twoNodes)
			cluster.start(t)
			before := cluster.awaitReady(t)
			if err := syscall.Kill(roleOf(t, before, victim).PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			cluster.awaitStatus(t, "a new process of each part that ends", func(status control.Status) bool {
				return !slices.ContainsFunc(replaced, func(name string) bool {
					role := roleOf(t, status, name)
					return role.PID == 0 || role.PID == roleOf(t, before, name).PID
				})
			})
			after := cluster.awaitReady(t)
			for _, name := range all {
				if !slices.Contains(replaced, name) && roleOf(t, after, name).PID != roleOf(t, before, name).PID {
					t.Errorf("%s has been replaced too", name)
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

// On a kernel that does not end a pid namespace with its first process, pods can
// outlive a node whose supervisor and first process are killed at the same time.
func TestPodsOfAFormerNodeAreEnded(t *testing.T) {
	cluster := newCluster(t, full)
	script := fmt.Sprintf("%s -address %s & sleep 600 & wait", cluster.spec.Program(shimProgram), cluster.spec.Views()[0].ContainerdSocket())
	former := exec.Command("/bin/sh", "-c", script)
	former.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := former.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = former.Process.Kill() })
	until(t, "the shim", func() bool {
		shims, err := processes(func(pid int) bool { return isShim(pid, cluster.spec.Views()[0].ContainerdSocket()) })
		return err == nil && len(shims) == 1
	})
	cluster.start(t)
	cluster.awaitReady(t)
	// The shell ends when all it has started has ended, the pod's "sleep" too.
	_ = former.Wait()
	cluster.stop(t, 0)
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
