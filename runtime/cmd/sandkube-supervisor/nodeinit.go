package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"sandkube.dev/runtime/internal/containerd"
	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/heap"
	"sandkube.dev/runtime/internal/nodeinit"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/podnetwork"
	"sandkube.dev/runtime/internal/supervise"
	"sandkube.dev/runtime/internal/version"
)

// commandDescriptor is where node-init finds its command pipe.
const commandDescriptor = 4

// nodeInit runs the node until it is told to stop. All other processes of the node
// end with this one.
func nodeInit(read func() (*nodeFile, error)) error {
	defer killAllOthers()
	reporter := control.NewReporter()
	commands := commandPipe()
	reporter.Hello(program, version.Version)
	file, err := read()
	if err != nil {
		reporter.Fatal("", err)
		return err
	}
	stop := awaitStop(commands)
	outer, err := nodeinit.OpenOuterProcesses()
	if err != nil {
		reporter.Fatal(nodeinit.Service, err)
		return err
	}
	if err := leaveNumber(file.view, outer); err != nil {
		reporter.Fatal(nodeinit.Service, err)
		return err
	}
	reporter.ServiceStarting(nodeinit.Service)
	elapsed, err := nodeinit.Timed(file.view, func(warning error) { fmt.Fprintln(os.Stderr, warning) })
	if err != nil {
		reporter.ServiceFailed(nodeinit.Service, err)
		reporter.Fatal(nodeinit.Service, err)
		return err
	}
	reporter.ServiceReady(nodeinit.Service, elapsed)

	n := &node{file: file, spawner: supervise.NewSpawner(), reporter: reporter, outer: outer}
	if err := n.start(); err != nil {
		reporter.Fatal("", err)
		return errors.Join(err, n.stop(0))
	}
	reporter.Ready()
	return n.stop(<-stop)
}

// leaveNumber lets the network, which may run outside of the node, find the node's mounts.
func leaveNumber(view *nodespec.NodeView, outer *nodeinit.OuterProcesses) error {
	number := strconv.Itoa(outer.Self())
	if err := os.WriteFile(view.InitProcess(), []byte(number), 0o600); err != nil {
		return fmt.Errorf("number of the node's first process: %w", err)
	}
	return nil
}

// commandPipe is nil when this process was not started by a supervisor.
func commandPipe() *os.File {
	var stat syscall.Stat_t
	if err := syscall.Fstat(commandDescriptor, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return nil
	}
	syscall.CloseOnExec(commandDescriptor)
	return os.NewFile(commandDescriptor, "command pipe")
}

// awaitStop returns a channel that gets the grace for pods when the node is to stop.
// If the supervisor has ended, as the end of the command pipe tells, the node ends at
// once. A death signal would leave no time to take the other processes along.
func awaitStop(commands *os.File) <-chan time.Duration {
	stop := make(chan time.Duration, 2)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		stop <- control.DefaultGrace
	}()
	if commands == nil {
		return stop
	}
	go func() {
		grace, err := supervise.ReadStopCommand(commands)
		if err != nil {
			killAllOthers()
			os.Exit(exitFailure)
		}
		stop <- grace
	}()
	return stop
}

// node is what node-init runs.
type node struct {
	file       *nodeFile
	spawner    *supervise.Spawner
	reporter   *control.Reporter
	outer      *nodeinit.OuterProcesses
	containerd *supervise.Keeper
	// network is nil where network-init runs it.
	network *supervise.Keeper
	kubelet *supervise.Keeper
}

func (n *node) start() error {
	spec := n.file.view
	if err := containerd.WriteConfig(spec); err != nil {
		return err
	}
	if err := podnetwork.WriteConfig(spec); err != nil {
		return err
	}
	if err := n.forgetLostSnapshots(); err != nil {
		return err
	}
	sink := stampedBy(n.reporter)
	containerdRole, nodeRole := spec.RoleName(containerdKind), spec.RoleName(nodeKind)
	var err error
	n.containerd, err = supervise.Keep(n.spawner, supervise.Role{
		Name:     containerdRole,
		Argv:     []string{spec.Program("sandkube-containerd"), "containerd", "--config", containerd.ConfigPath(spec)},
		Env:      append(os.Environ(), containerd.Environment(spec)...),
		Log:      spec.Log(containerdRole),
		Socket:   spec.ContainerdSocket(),
		Service:  containerdKind,
		OuterPID: n.outer.PID,
	}, sink)
	if err != nil {
		return err
	}
	if !hasNetworkInit(spec.NodeSpec) {
		role := networkRoleOf(spec.NodeSpec, n.file.path)
		role.OuterPID = n.outer.PID
		if n.network, err = supervise.Keep(n.spawner, role, sink); err != nil {
			return err
		}
	}
	n.kubelet, err = supervise.Keep(n.spawner, supervise.Role{
		Name:     nodeRole,
		Argv:     []string{spec.Program("sandkube-runtime"), "node", "--spec", n.file.path, "--node", spec.Self.Name},
		Env:      heap.StartEnvironment(append(os.Environ(), variables(spec.Node.Kubelet.Environment)...)),
		Log:      spec.Log(nodeRole),
		Events:   true,
		Suspect:  "kubelet",
		OuterPID: n.outer.PID,
	}, sink)
	return err
}

// stampedBy hands on the events of roles that this process supervises itself.
func stampedBy(reporter *control.Reporter) supervise.Sink {
	return func(role string, event control.Event) {
		event.Role = role
		event.Time = time.Now().UTC().Format(time.RFC3339Nano)
		reporter.Report(event)
	}
}

func variables(values map[string]string) []string {
	var environment []string
	for name, value := range values {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// forgetLimit is how long containerd's records may take to be changed.
const forgetLimit = 30 * time.Second

// forgetLostSnapshots makes containerd unpack images again when the snapshots that it
// has on record are gone, as those on a tmpfs are.
func (n *node) forgetLostSnapshots() error {
	spec := n.file.view
	root := spec.NodePath("containerd", "root")
	recorded, err := exists(filepath.Join(root, "io.containerd.metadata.v1.bolt", "meta.db"))
	if err != nil || !recorded {
		return err
	}
	// Both snapshotters keep their own records beside the snapshots.
	kept, err := exists(filepath.Join(containerd.SnapshotRoot(spec), "metadata.db"))
	if err != nil || kept {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), forgetLimit)
	defer cancel()
	return supervise.Run(ctx, n.spawner, []string{
		spec.Program("sandkube-containerd"), "forget-snapshots",
		"--root", root, "--snapshotter", spec.Node.Containerd.Snapshotter,
	}, os.Environ())
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// stop ends the node role, which stops the pods within the grace, and then what they need.
func (n *node) stop(grace time.Duration) error {
	var errs []error
	if n.kubelet != nil {
		errs = append(errs, n.kubelet.Stop(grace, grace))
	}
	if n.network != nil {
		errs = append(errs, n.network.Stop(0, roleStopLimit))
	}
	if n.containerd != nil {
		errs = append(errs, n.containerd.Stop(0, roleStopLimit))
	}
	return errors.Join(errs...)
}
