// Command sandkube-containerd is containerd and its client ctr in one program.
//
// The name it is called by, or else its first argument, chooses: `containerd`
// or `ctr`. Both are upstream's own commands; only the set of plugins is
// smaller (plugins.go), layers are read in another way (unpackstream), and pods' images
// are pulled by sandkube's registry client (podpull). `forget-snapshots` prepares
// containerd's metadata for a start after snapshots were lost (snapshots.go); `images`
// works on a node's images without a registry (images.go); `registry` pulls them, and
// configures how the kubelet's are pulled (registry.go).
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	containerd "github.com/containerd/containerd/v2/cmd/containerd/command"
	ctr "github.com/containerd/containerd/v2/cmd/ctr/app"

	"sandkube.dev/upstream/containerd/podpull"
	"sandkube.dev/upstream/containerd/unpackstream"
)

const (
	// snapshotsVariable names the directory that layers are unpacked to.
	snapshotsVariable = "SANDKUBE_SNAPSHOTS"
	// accountsVariable names the file with registries.yaml's accounts.
	accountsVariable = "SANDKUBE_REGISTRY_ACCOUNTS"
)

func main() {
	name, args, err := choose(os.Args)
	if err == nil {
		err = run(name, args)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// choose returns the command's name and its argument vector, name included.
func choose(argv []string) (name string, args []string, err error) {
	if len(argv) == 0 {
		return "sandkube-containerd", nil, fmt.Errorf("called without a name")
	}
	if name := filepath.Base(argv[0]); known(name) {
		return name, argv, nil
	}
	if len(argv) > 1 && known(argv[1]) {
		return argv[1], argv[1:], nil
	}
	return "sandkube-containerd", nil, fmt.Errorf("usage: sandkube-containerd {containerd|ctr|forget-snapshots|images|registry} [arguments]")
}

func known(name string) bool {
	return slices.Contains([]string{"containerd", "ctr", "forget-snapshots", "images", "registry"}, name)
}

func run(name string, args []string) error {
	switch name {
	case "ctr":
		return ctr.New().Run(args)
	case "forget-snapshots":
		return forgetSnapshots(args[1:])
	case "images":
		return imagesCommand(args)
	case "registry":
		return registryCommand(args)
	default:
		unpackstream.Register(os.Getenv(snapshotsVariable))
		podpull.Register(os.Getenv(accountsVariable))
		return containerd.App().Run(args)
	}
}
