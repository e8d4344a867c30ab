// Package ociadapter is the part of sandkube's runc that edits a container's spec by the
// node spec before runc reads it.
//
// A patch lets runc's main begin with Main. Where runc is started as sandkube-runc the adapter
// does its part in runc's own process: to start a program in front of runc costs more in gVisor
// than all that the adapter does. Under any other name runc is what upstream has made.
package ociadapter

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

const (
	// adapterName is the name that runc is started as to have the adapter's help.
	adapterName = "sandkube-runc"
	// runcName is what runc is told as its own name. It gives it to the `runc init` that it
	// starts in a container, which thus never takes itself for the adapter.
	runcName = "runc"
	// specVariable names the environment variable that holds the node spec's path.
	specVariable = "SANDKUBE_NODE_SPEC"
	// anyProcRootVariable tells sandkube's runc to accept a procfs whose root inode is not 1. It is
	// passed on to `runc init`.
	anyProcRootVariable = "SANDKUBE_ANY_PROC_ROOT"
)

// Main takes the argument vector of the process and returns the one with which runc goes on.
// It ends the process where nothing is left for runc to do: when it was called as a hook, and
// when the adapter fails. The reason is then written to stderr and to runc's own log, where
// containerd looks for it.
func Main(argv []string) []string {
	if len(argv) == 0 || filepath.Base(argv[0]) != adapterName {
		return argv
	}
	call := parseCommandLine(argv[1:])
	if call.verb == bindSysctlsVerb {
		os.Exit(bindSysctlsMain(os.Stdin, os.Stderr))
	}
	if err := adapt(argv[0], call); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", adapterName, err)
		if err := call.appendLog(err); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", adapterName, err)
		}
		os.Exit(1)
	}
	return append([]string{runcName}, argv[1:]...)
}

func adapt(program string, call commandLine) error {
	path, err := specPath(program)
	if err != nil {
		return err
	}
	settings, err := loadSettings(path)
	if err != nil {
		return err
	}
	if call.startsContainer() {
		if err := editBundle(call.bundle, settings); err != nil {
			return err
		}
	}
	if call.startsProcess() {
		if err := editProcessFile(call.process, settings); err != nil {
			return err
		}
	}
	if slices.Contains(settings.DropNamespaces, "pid") {
		if err := call.endSharedProcesses(); err != nil {
			return err
		}
	}
	if settings.AnyProcRoot {
		if err := os.Setenv(anyProcRootVariable, "1"); err != nil {
			return fmt.Errorf("set %s: %w", anyProcRootVariable, err)
		}
	}
	return nil
}

// specPath finds the node spec: containerd's shim starts the adapter by its path
// below the directory of its node, as DIRECTORY/node/bin/sandkube-runc. The path is
// taken as it was typed, since that file is a link to one program for all clusters.
func specPath(program string) (string, error) {
	if path := os.Getenv(specVariable); path != "" {
		return path, nil
	}
	if filepath.Base(program) == program {
		return "", fmt.Errorf("started as %q, which does not tell the cluster's directory: set %s", program, specVariable)
	}
	absolute, err := filepath.Abs(program)
	if err != nil {
		return "", fmt.Errorf("path of the adapter: %w", err)
	}
	return filepath.Join(absolute, "..", "..", "..", "node-spec.json"), nil
}
