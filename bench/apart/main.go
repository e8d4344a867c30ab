// Command apart starts a cluster whose parts are processes of their own, as upstream
// builds them: what sandkube is measured against. It finds the programs on PATH.
//
//	apart start DIRECTORY   starts everything by the node spec DIRECTORY/node-spec.json and
//	                        prints api-ready, node-ready and usable, a line each, as they come
//	apart node DIRECTORY    is the first process of the node's namespaces
//
// The node spec, the certificates, the flags, the configuration of containerd and of the
// pod network, and the mounts of the node are sandkube's own. Nothing is started again
// when it ends.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sandkube.dev/runtime/internal/nodespec"
)

// startLimit is how long the cluster may take to become usable.
const startLimit = 2 * time.Minute

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "apart: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: apart start|node DIRECTORY")
	}
	verb, directory := args[0], args[1]
	ctx, cancel := context.WithTimeoutCause(context.Background(), startLimit, fmt.Errorf("not usable after %s", startLimit))
	defer cancel()
	switch verb {
	case "start":
		return start(ctx, directory)
	case "node":
		return runNode(ctx, directory)
	}
	return fmt.Errorf("unknown verb %q: usage: apart start|node DIRECTORY", verb)
}

const specFile = "node-spec.json"

// moveSpec reads the node spec in a directory, makes that the cluster's directory, and
// writes the node spec back for the programs that read it.
func moveSpec(directory string) (*nodespec.NodeView, error) {
	path := filepath.Join(directory, specFile)
	spec, err := nodespec.Load(path)
	if err != nil {
		return nil, err
	}
	spec.Cluster.Directory = directory
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("node spec %s: %w", path, err)
	}
	if len(spec.Nodes) != 1 || spec.Node.Network.Mode != nodespec.NetworkBridge {
		return nil, fmt.Errorf("node spec %s: only a cluster of one node with a pod bridge can be started apart", path)
	}
	content, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the node spec: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return nil, fmt.Errorf("node spec: %w", err)
	}
	return spec.Views()[0], nil
}

// loadSpec reads the node spec that moveSpec has written.
func loadSpec(directory string) (*nodespec.NodeView, error) {
	spec, err := nodespec.Load(filepath.Join(directory, specFile))
	if err != nil {
		return nil, err
	}
	return spec.Views()[0], nil
}
