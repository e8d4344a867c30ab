package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/supervise"
	"sandkube.dev/runtime/internal/version"
)

// run runs a cluster until it is told to stop, by signal or at the control socket.
func run(read func() (*specFile, error)) error {
	file, err := read()
	if err != nil {
		return err
	}
	// Files that roles make for pods must not depend on the user's umask.
	syscall.Umask(0o022)
	if err := makeClusterDirectory(file.spec); err != nil {
		return err
	}
	lock, err := takeLock(file.spec.Path("supervisor.lock"))
	if err != nil {
		return err
	}
	// A working directory could not be unmounted.
	if err := os.Chdir("/"); err != nil {
		return err
	}
	// Without being asked, a kernel hands orphans to its first process, which not every sandbox's reaps.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

	started := time.Now()
	c := &cluster{
		file:     file,
		spawner:  supervise.NewSpawner(),
		requests: make(chan time.Duration, 1),
		journal: control.NewJournal(control.Status{
			Version: version.Version, PID: os.Getpid(), StartedAt: started.UTC().Format(time.RFC3339Nano),
		}),
	}
	for _, view := range file.spec.Views() {
		c.nodes = append(c.nodes, &supervisedNode{view: view})
	}
	server, err := control.Listen(file.spec.ControlSocket(), c.journal, c.requestStop)
	if err != nil {
		return err
	}
	err = c.serve()
	if err != nil {
		c.record(supervisorRole, control.FatalEvent("", err))
	}
	c.record(supervisorRole, control.Event{Type: control.AllStopped})
	// Whoever sees the events end may start the cluster again at once: by then, the
	// socket and the lock are the next supervisor's.
	err = errors.Join(err, server.Withdraw(), lock.Close())
	server.Close()
	return err
}

// Names of the roles that there is one of.
const (
	supervisorRole   = "supervisor"
	controlPlaneRole = "control-plane"
	networkInitRole  = "network-init"
	networkRole      = "network"
)

// Kinds of the roles that each node has: nodespec.NodeView has their names.
const (
	nodeInitKind   = "node-init"
	containerdKind = "containerd"
	nodeKind       = "node"
)

// cluster is what the supervisor runs.
type cluster struct {
	file    *specFile
	spawner *supervise.Spawner
	journal *control.Journal
	// requests holds the grace of the first request to stop.
	requests chan time.Duration

	controlPlane *supervise.Keeper
	// network is nil where a node has the network inside.
	network *supervise.Keeper
	nodes   []*supervisedNode
	remains remains
}

// supervisedNode is a node of the cluster.
type supervisedNode struct {
	view   *nodespec.NodeView
	keeper *supervise.Keeper
	// namespace names the node's pid namespace. Only node-init's keeper, which records its
	// start and end, uses it.
	namespace string
}

// requestStop lets serve stop the cluster; all but the first request change nothing.
func (c *cluster) requestStop(grace time.Duration) {
	select {
	case c.requests <- grace:
	default:
	}
}

// serve starts everything, waits until it is to stop, and stops it.
func (c *cluster) serve() error {
	c.record(supervisorRole, control.Event{Type: control.Hello, Program: program, Version: version.Version})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 4)
	// The end of the terminal that a supervisor was started from is not its end.
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for received := range signals {
			if received != syscall.SIGHUP {
				c.requestStop(control.DefaultGrace)
			}
		}
	}()

	startError := c.start(ctx)
	var grace time.Duration
	if startError == nil {
		grace = c.waitForStop(ctx)
	}
	c.record(supervisorRole, control.Event{Type: control.Stopping})
	return errors.Join(startError, c.stop(grace))
}

// waitForStop returns the grace that pods get.
func (c *cluster) waitForStop(ctx context.Context) time.Duration {
	select {
	case grace := <-c.requests:
		return grace
	case <-c.remains.vanished(ctx):
		logLine("the cluster's directory is gone: everything is stopped")
		return 0
	}
}

// record keeps an event, and writes those that are about processes to the supervisor's log.
func (c *cluster) record(role string, event control.Event) {
	c.journal.Add(role, event)
	if line := describe(role, event); line != "" {
		logLine(line)
	}
	if event.Type != control.Role {
		return
	}
	if role == networkInitRole && event.State == control.Exited {
		c.endNodesWithoutNetwork()
	}
	for _, node := range c.nodes {
		if role != node.view.RoleName(nodeInitKind) {
			continue
		}
		switch event.State {
		case control.Started:
			node.namespace, _ = pidNamespace(event.PID)
		case control.Exited, control.Stopped:
			c.endLostNode(node)
		}
	}
}

func logLine(line string) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
}

// endLostNode ends what is left of a node whose first process has ended, and notes
// that the roles within have ended with it.
func (c *cluster) endLostNode(node *supervisedNode) {
	if err := killNamespace(node.namespace); err != nil {
		logLine(err.Error())
	}
	node.namespace = ""
	c.noteStopped(node.view.RoleName(containerdKind), node.view.RoleName(nodeKind))
	if !hasNetworkInit(c.file.spec) {
		c.noteStopped(networkRole)
	}
}

// noteStopped notes that roles have ended with the process that supervised them.
func (c *cluster) noteStopped(names ...string) {
	for _, role := range c.journal.Status().Roles {
		if slices.Contains(names, role.Role) && role.State != control.RoleStopped {
			c.journal.Add(role.Role, control.Event{Type: control.Role, State: control.Stopped})
		}
	}
}

// describe is an event's line in the supervisor's log; empty for one that is not logged.
func describe(role string, event control.Event) string {
	switch event.Type {
	case control.Fatal:
		return fmt.Sprintf("%s: fatal", role) + because(event)
	case control.Stopping:
		return "stopping"
	case control.AllStopped:
		return "stopped"
	case control.Role:
		line := fmt.Sprintf("%s: %s", role, event.State)
		switch event.State {
		case control.Started:
			line += fmt.Sprintf(" as process %d", event.PID)
		case control.Exited, control.Stopped:
			if event.ExitCode != nil {
				line += fmt.Sprintf(" with exit code %d", *event.ExitCode)
			}
			if event.Signal != "" {
				line += " by the signal " + event.Signal
			}
			line += because(event)
		case control.BackingOff:
			line += fmt.Sprintf(" for %d ms", *event.DelayMs)
		}
		return line
	}
	return ""
}

// because is the part and the reason that an event names, as far as it does.
func because(event control.Event) string {
	line := ""
	if event.Service != "" {
		line += " (" + event.Service + ")"
	}
	if event.Message != "" {
		line += ": " + event.Message
	}
	return line
}
