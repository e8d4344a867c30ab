package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/heap"
	"sandkube.dev/runtime/internal/nodeinit"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/supervise"
	"sandkube.dev/runtime/internal/version"
)

// hasNetworkInit says whether the network runs outside of the nodes. The only node of a
// cluster has it inside, which saves a process: all that the network serves ends with the
// node. Of several nodes none may take the network of the others along.
func hasNetworkInit(spec *nodespec.NodeSpec) bool { return len(spec.Nodes) > 1 }

// networkInit keeps the network of several nodes running until SIGTERM. Its mount namespace
// holds what has to outlive the network's process: a network namespace with links of pods.
func networkInit(read func() (*specFile, error)) error {
	reporter := control.NewReporter()
	reporter.Hello(program, version.Version)
	file, err := read()
	if err == nil {
		err = nodeinit.CutOff()
	}
	if err != nil {
		reporter.Fatal("", err)
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	keeper, err := supervise.Keep(supervise.NewSpawner(), networkRoleOf(file.spec, file.path), stampedBy(reporter))
	if err != nil {
		reporter.Fatal("", err)
		return err
	}
	reporter.Ready()
	<-stop
	return keeper.Stop(0, roleStopLimit)
}

func networkRoleOf(spec *nodespec.NodeSpec, specPath string) supervise.Role {
	return supervise.Role{
		Name:   networkRole,
		Argv:   []string{spec.Program("sandkube-network"), "run", "--spec", specPath},
		Env:    heap.StartEnvironment(os.Environ()),
		Log:    spec.Log(networkRole),
		Events: true,
	}
}

// keepNetworkInit starts network-init where the network does not run inside of a node.
func (c *cluster) keepNetworkInit() error {
	spec := c.file.spec
	if !hasNetworkInit(spec) {
		return nil
	}
	var err error
	c.network, err = supervise.Keep(c.spawner, supervise.Role{
		Name:       networkInitRole,
		Argv:       []string{spec.Program(program), "network-init", "--spec", c.file.path},
		Env:        roleEnvironment(spec, os.Environ()),
		Log:        spec.Log(networkInitRole),
		Events:     true,
		Cloneflags: syscall.CLONE_NEWNS,
	}, c.record)
	return err
}

// endNodesWithoutNetwork ends all nodes when network-init has ended by itself: the links of
// pods that a NetworkPolicy selected have ended with it, and only new pods get new ones.
func (c *cluster) endNodesWithoutNetwork() {
	c.noteStopped(networkRole)
	for _, node := range c.nodes {
		if err := node.keeper.Kill(); err != nil && !errors.Is(err, supervise.ErrEnded) {
			logLine(fmt.Sprintf("end node %s, whose network has ended: %v", node.view.Self.Name, err))
		}
	}
}
