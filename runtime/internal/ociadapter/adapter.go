// Package ociadapter stands in front of a stock runc: it takes runc's command
// line, edits the container's spec by the node spec, and becomes runc.
//
// The process is replaced by execve(2), so that runc has the pid, the descriptors
// and the standard streams that containerd's shim gave.
package ociadapter

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/nodespec"
)

const (
	// SpecVariable names the environment variable that holds the node spec's path.
	SpecVariable = "SANDKUBE_NODE_SPEC"
	// anyProcRootVariable tells the runc that sandkube builds to accept a procfs
	// whose root inode is not 1.
	anyProcRootVariable = "SANDKUBE_ANY_PROC_ROOT"
)

// Main runs the adapter with the whole argument vector of the process. It returns
// only when runc can not be started, with the exit status: the reason is then
// written to stderr and to runc's own log, where containerd looks for it.
func Main(argv []string, stderr io.Writer) int {
	call := parseCommandLine(argv[1:])
	err := run(argv[0], call)
	fmt.Fprintf(stderr, "sandkube-runc: %v\n", err)
	if err := call.appendLog(err); err != nil {
		fmt.Fprintf(stderr, "sandkube-runc: %v\n", err)
	}
	return 1
}

func run(program string, call commandLine) error {
	path, err := specPath(program)
	if err != nil {
		return err
	}
	spec, err := nodespec.Load(path)
	if err != nil {
		return err
	}
	if spec.Node == nil {
		return fmt.Errorf("node spec %s has no node", path)
	}
	if call.startsContainer() {
		if err := editBundle(call.bundle, spec); err != nil {
			return err
		}
	}
	if call.startsProcess() {
		if err := editProcessFile(call.process, spec.Node.OCI); err != nil {
			return err
		}
	}
	if slices.Contains(spec.Node.OCI.DropNamespaces, "pid") {
		if err := call.endSharedProcesses(); err != nil {
			return err
		}
	}
	environment := os.Environ()
	if spec.Node.OCI.AnyProcRoot {
		environment = append(environment, anyProcRootVariable+"=1")
	}
	runc := spec.Program("runc")
	if err := unix.Exec(runc, append([]string{runc}, call.arguments...), environment); err != nil {
		return fmt.Errorf("start %s: %w", runc, err)
	}
	return nil
}

// specPath finds the node spec: containerd's shim starts the adapter by its path
// below the directory of its node, as DIRECTORY/node/bin/sandkube-runc. The path is
// taken as it was typed, since that file is a link to one program for all clusters.
func specPath(program string) (string, error) {
	if path := os.Getenv(SpecVariable); path != "" {
		return path, nil
	}
	if filepath.Base(program) == program {
		return "", fmt.Errorf("started as %q, which does not tell the cluster's directory: set %s", program, SpecVariable)
	}
	absolute, err := filepath.Abs(program)
	if err != nil {
		return "", fmt.Errorf("path of the adapter: %w", err)
	}
	return filepath.Join(absolute, "..", "..", "..", "node-spec.json"), nil
}
