package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"

	"sandkube.dev/runtime/internal/containerd"
	"sandkube.dev/runtime/internal/nodeinit"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/podnetwork"
	"sandkube.dev/runtime/internal/supervise"
)

// runNode makes the mounts that the node spec asks for, and runs containerd and, when both it
// and the API server answer, the kubelet, until one of them ends. ctx limits the start alone.
func runNode(ctx context.Context, directory string) error {
	// As of sandkube's node-init: its memory counts in what the sandbox holds.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(25)
	view, err := loadSpec(directory)
	if err != nil {
		return err
	}
	if err := nodeinit.Prepare(view, func(warning error) { fmt.Fprintln(os.Stderr, warning) }); err != nil {
		return err
	}
	if err := containerd.WriteConfig(view); err != nil {
		return err
	}
	if err := podnetwork.WriteConfig(view); err != nil {
		return err
	}
	spawner := supervise.NewSpawner()
	engine, err := spawn(spawner, view, "containerd", nil, "--config", containerd.ConfigPath(view))
	if err != nil {
		return err
	}
	if err := importPause(ctx, spawner, view); err != nil {
		return err
	}
	kubeletConfig, err := writeKubeletConfig(view)
	if err != nil {
		return err
	}
	api, err := newAPI(view.NodeSpec)
	if err != nil {
		return err
	}
	// The kubelet backs off for seconds when it is faster than the API server.
	if err := poll(ctx, func(ctx context.Context) error { return api.answers(ctx, view.Self.Name) }); err != nil {
		return err
	}
	kubelet, err := spawn(spawner, view, "kubelet", view.Node.Kubelet.Environment, kubeletFlags(view, kubeletConfig)...)
	if err != nil {
		return err
	}
	select {
	case <-engine.Ended():
		return errors.New("containerd has ended")
	case <-kubelet.Ended():
		return errors.New("the kubelet has ended")
	}
}

// spawn starts a program of PATH, with its output in a log of its own.
func spawn(spawner *supervise.Spawner, view *nodespec.NodeView, name string, environment map[string]string, args ...string) (*supervise.Process, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(view.Log(name))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	variables := os.Environ()
	for name, value := range environment {
		variables = append(variables, name+"="+value)
	}
	return spawner.Spawn(supervise.Program{
		Argv:  append([]string{path}, args...),
		Env:   variables,
		Files: []*os.File{null, log, log},
	})
}

// importPause gives containerd the image that every pod needs.
func importPause(ctx context.Context, spawner *supervise.Spawner, view *nodespec.NodeView) error {
	socket := view.ContainerdSocket()
	if err := poll(ctx, func(context.Context) error {
		connection, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		return connection.Close()
	}); err != nil {
		return fmt.Errorf("connect to containerd: %w", err)
	}
	return supervise.Run(ctx, spawner, []string{
		view.Program("sandkube-containerd"), "ctr", "--address", socket, "--namespace", "k8s.io",
		"images", "import", "--snapshotter", view.Node.Containerd.Snapshotter, view.Program(containerd.PauseArchive),
	}, os.Environ())
}
