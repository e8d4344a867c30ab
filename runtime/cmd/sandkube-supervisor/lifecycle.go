package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"sandkube.dev/runtime/internal/heap"
	"sandkube.dev/runtime/internal/pki"
	"sandkube.dev/runtime/internal/supervise"
)

const (
	// hostLimit is how long host-setup and host-restore may take.
	hostLimit = 30 * time.Second
	// roleStopLimit is how long a role without pods may take to stop.
	roleStopLimit = 10 * time.Second
	// portLimit is how long the port of a cluster that has just ended may stay taken.
	portLimit = 3 * time.Second
	portPoll  = 50 * time.Millisecond
)

// start brings up everything, up to the point where the roles' processes run.
func (c *cluster) start(ctx context.Context) error {
	spec := c.file.spec
	for _, node := range spec.Views() {
		if err := killFormerNode(node.ContainerdSocket()); err != nil {
			return err
		}
	}
	if err := makeDirectories(spec); err != nil {
		return err
	}
	if err := pki.Ensure(spec, time.Now()); err != nil {
		return err
	}
	if err := c.setUpHost(ctx); err != nil {
		return err
	}
	var err error
	if c.remains, err = rememberRemains(c.file); err != nil {
		return err
	}
	if err := waitForPort(ctx, spec.ControlPlane.BindAddress, spec.ControlPlane.Port); err != nil {
		return err
	}
	c.controlPlane, err = supervise.Keep(c.spawner, supervise.Role{
		Name:   controlPlaneRole,
		Argv:   []string{spec.Program("sandkube-runtime"), "control-plane", "--spec", c.file.path},
		Env:    heap.StartEnvironment(roleEnvironment(spec, os.Environ())),
		Log:    spec.Log(controlPlaneRole),
		Events: true,
	}, c.record)
	if err != nil {
		return err
	}
	if err := c.keepNetworkInit(); err != nil {
		return err
	}
	for _, node := range c.nodes {
		if err := c.keepNode(node); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) keepNode(node *supervisedNode) error {
	spec := node.view
	name := spec.RoleName(nodeInitKind)
	var err error
	node.keeper, err = supervise.Keep(c.spawner, supervise.Role{
		Name:       name,
		Argv:       []string{spec.Program(program), "node-init", "--spec", c.file.path, "--node", spec.Self.Name},
		Env:        roleEnvironment(spec.NodeSpec, os.Environ(), spec.NodePath("bin")),
		Log:        spec.Log(name),
		Events:     true,
		Commands:   true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
	}, c.record)
	return err
}

// setUpHost makes the changes outside the cluster's directory. A cluster without a
// node needs at most lo to be up, which most sandboxes have seen to: there, failing
// is no reason not to try.
func (c *cluster) setUpHost(ctx context.Context) error {
	err := c.runHostCommand(ctx, "host-setup")
	if err != nil && c.file.spec.Node == nil {
		logLine(err.Error())
		return nil
	}
	return err
}

func (c *cluster) runHostCommand(ctx context.Context, verb string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, hostLimit, fmt.Errorf("%s did not end within %s", verb, hostLimit))
	defer cancel()
	argv := []string{c.file.spec.Program("sandkube-oci"), verb, "--spec", c.file.path}
	return supervise.Run(ctx, c.spawner, argv, os.Environ())
}

// waitForPort fails when the API server would not get its port. A control plane that
// was killed a moment ago may still hold it.
func waitForPort(ctx context.Context, address string, port int) error {
	deadline := time.Now().Add(portLimit)
	for {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err == nil {
			return listener.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return fmt.Errorf("the API server can not have its port: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(portPoll):
		}
	}
}

// stop ends everything in the reverse order: first the nodes, with grace for their pods,
// so that the API server still learns how they ended.
func (c *cluster) stop(grace time.Duration) error {
	var stopping sync.WaitGroup
	for _, node := range c.nodes {
		if node.keeper != nil {
			// node-init itself stops three roles, one after the other.
			stopping.Go(func() { stopRole(node.keeper, grace, grace+3*roleStopLimit) })
		}
	}
	stopping.Wait()
	if c.network != nil {
		// network-init itself stops one role.
		stopRole(c.network, 0, 2*roleStopLimit)
	}
	if c.controlPlane != nil {
		stopRole(c.controlPlane, 0, roleStopLimit)
	}
	// The request to stop does not end this: whatever was changed is put back.
	return c.remains.restore(func() error {
		return c.runHostCommand(context.Background(), "host-restore")
	})
}

// stopRole stops a role. One that had to be killed has ended all the same.
func stopRole(keeper *supervise.Keeper, grace, limit time.Duration) {
	if err := keeper.Stop(grace, limit); err != nil {
		logLine(err.Error())
	}
}
