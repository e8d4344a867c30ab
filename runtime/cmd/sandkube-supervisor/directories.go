package main

import (
	"errors"
	"fmt"
	"os"

	"sandkube.dev/runtime/internal/nodespec"
)

// shimProgram is what containerd starts for each pod.
const shimProgram = "containerd-shim-runc-v2"

// makeClusterDirectory makes the directory that holds everything, for its owner only.
func makeClusterDirectory(spec *nodespec.NodeSpec) error {
	if err := os.MkdirAll(spec.Cluster.Directory, 0o700); err != nil {
		return fmt.Errorf("cluster directory: %w", err)
	}
	if err := os.Chmod(spec.Cluster.Directory, 0o700); err != nil {
		return fmt.Errorf("cluster directory: %w", err)
	}
	return nil
}

// makeDirectories makes the directories below, and the links to programs that
// containerd calls by name.
func makeDirectories(spec *nodespec.NodeSpec) error {
	directories := []string{spec.Path("logs"), spec.Path("etcd")}
	nodes := spec.Views()
	for _, node := range nodes {
		for _, path := range [][]string{
			{"containerd", "root"},
			{"cni", "conf"}, {"cni", "bin"}, {"cni", "state"},
			{"kubelet"}, {"log"}, {"run"}, {"snapshots"}, {"standins"}, {"bin"},
		} {
			directories = append(directories, node.NodePath(path...))
		}
	}
	for _, directory := range directories {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return fmt.Errorf("cluster directory: %w", err)
		}
	}
	for _, node := range nodes {
		for name, target := range map[string]string{
			"sandkube-cni":  "sandkube-oci",
			"loopback":      "sandkube-oci",
			"sandkube-runc": "runc",
			shimProgram:     shimProgram,
		} {
			if err := replaceLink(spec.Program(target), node.NodePath("bin", name)); err != nil {
				return fmt.Errorf("link to a program: %w", err)
			}
		}
	}
	return nil
}

// replaceLink makes path a symbolic link to target, in one step if it was another one.
func replaceLink(target, path string) error {
	if present, err := os.Readlink(path); err == nil && present == target {
		return nil
	}
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
