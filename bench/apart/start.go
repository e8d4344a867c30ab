package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"sandkube.dev/runtime/internal/flags"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/pki"
)

// start starts all processes, in the order in which sandkube does, and leaves them running.
func start(ctx context.Context, directory string) error {
	// Files that are made for pods must not depend on the caller's umask.
	syscall.Umask(0o022)
	view, err := moveSpec(directory)
	if err != nil {
		return err
	}
	spec := view.NodeSpec
	if err := makeDirectories(view); err != nil {
		return err
	}
	if err := pki.Ensure(spec, time.Now()); err != nil {
		return err
	}
	hostSetup := exec.CommandContext(ctx, spec.Program("sandkube-oci"), "host-setup", "--spec", spec.Path(specFile))
	if output, err := hostSetup.CombinedOutput(); err != nil {
		return fmt.Errorf("host-setup: %w: %s", err, output)
	}
	if err := leaveRunning(spec, "etcd", etcdFlags(spec)...); err != nil {
		return err
	}
	if err := leaveRunning(spec, "kube-apiserver", flags.APIServer(spec, etcdURL)...); err != nil {
		return err
	}
	if err := leaveNode(spec); err != nil {
		return err
	}
	api, err := newAPI(spec)
	if err != nil {
		return err
	}
	if err := api.until(ctx, "api-ready", api.ready); err != nil {
		return err
	}
	if err := leaveRunning(spec, "kube-controller-manager", flags.ControllerManager(spec)...); err != nil {
		return err
	}
	if err := leaveRunning(spec, "kube-scheduler", flags.Scheduler(spec)...); err != nil {
		return err
	}
	corefile, err := writeCorefile(view)
	if err != nil {
		return err
	}
	if err := leaveRunning(spec, "coredns", "-conf", corefile); err != nil {
		return err
	}
	if err := api.until(ctx, "node-ready", func(ctx context.Context) error { return api.nodeReady(ctx, view.Self.Name) }); err != nil {
		return err
	}
	return api.until(ctx, "usable", api.podsCanBeMade)
}

// makeDirectories makes what no program makes itself, and the links to programs that
// containerd calls by name.
func makeDirectories(view *nodespec.NodeView) error {
	for _, path := range []string{view.Path("logs"), view.Path("etcd"), view.NodePath("run"), view.NodePath("bin")} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"sandkube-cni": "sandkube-oci", "sandkube-runc": "runc",
		"containerd-shim-runc-v2": "containerd-shim-runc-v2",
	} {
		if err := os.Symlink(view.Program(target), view.NodePath("bin", name)); err != nil {
			return err
		}
	}
	return nil
}

const (
	etcdURL     = "http://127.0.0.1:2379"
	etcdPeerURL = "http://127.0.0.1:2380"
)

func etcdFlags(spec *nodespec.NodeSpec) []string {
	name := spec.Cluster.Name
	return []string{
		"--name=" + name,
		"--data-dir=" + spec.Path("etcd", "data"),
		"--listen-client-urls=" + etcdURL,
		"--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=" + etcdPeerURL,
		"--initial-advertise-peer-urls=" + etcdPeerURL,
		"--initial-cluster=" + name + "=" + etcdPeerURL,
		"--log-level=warn",
	}
}

// leaveRunning starts a program of PATH that outlives this process.
func leaveRunning(spec *nodespec.NodeSpec, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	return leave(spec, name, exec.Command(path, args...), syscall.SysProcAttr{Setsid: true})
}

// leaveNode starts the node in namespaces of its own.
func leaveNode(spec *nodespec.NodeSpec) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	namespaces := syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	return leave(spec, "node-init", exec.Command(self, "node", spec.Cluster.Directory), namespaces)
}

func leave(spec *nodespec.NodeSpec, name string, command *exec.Cmd, attributes syscall.SysProcAttr) error {
	log, err := os.Create(spec.Log(name))
	if err != nil {
		return err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &attributes
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	return command.Process.Release()
}
