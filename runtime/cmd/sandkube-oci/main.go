// Command sandkube-oci is what is started once for each pod or question:
// small, without Kubernetes code, and one file under several names.
//
// By the name it is started as:
//
//	sandkube-cni  CNI plugin: joins a pod to the node's bridge
//	loopback      CNI plugin: sets a pod's lo up
//
// Under any other name, by its first argument: probe, host-setup, host-restore, version.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"sandkube.dev/runtime/internal/cni"
	"sandkube.dev/runtime/internal/host"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/probe"
	"sandkube.dev/runtime/internal/version"
)

const usage = `usage: sandkube-oci COMMAND

  probe [--data DIRECTORY]   tries what the sandbox can do and prints facts as JSON
  host-setup --spec FILE     makes the pod bridge and cgroups, turns forwarding on
  host-restore --spec FILE   puts back what host-setup has changed
  version                    prints the version
`

// exitUsage is the exit status of a command line that is not understood.
const exitUsage = 2

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func run(argv []string, stdout, stderr io.Writer) int {
	switch name := filepath.Base(argv[0]); name {
	case "sandkube-cni":
		return cni.Main(name + " " + version.Version)
	case "loopback":
		return cni.LoopbackMain(name + " " + version.Version)
	}
	if len(argv) < 2 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	verb, args := argv[1], argv[2:]
	switch verb {
	case "probe":
		return probe.Main(args, stdout, stderr)
	case "probe-fact":
		// One fact of `probe`, in the process that may hang or be killed for it.
		return probe.FactMain(args)
	case "host-setup":
		return changeHost(verb, host.Setup, args, stderr)
	case "host-restore":
		return changeHost(verb, host.Restore, args, stderr)
	case "version":
		fmt.Fprintln(stdout, version.Version)
		return 0
	}
	fmt.Fprintf(stderr, "sandkube-oci: unknown command %q\n\n%s", verb, usage)
	return exitUsage
}

func changeHost(verb string, change func(context.Context, *nodespec.NodeSpec) error, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("spec", "", "path of the node spec")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *path == "" || flags.NArg() > 0 {
		fmt.Fprintf(stderr, "usage: sandkube-oci %s --spec FILE\n", verb)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	spec, err := nodespec.Load(*path)
	if err == nil {
		err = change(ctx, spec)
	}
	if err != nil {
		fmt.Fprintf(stderr, "sandkube-oci %s: %v\n", verb, err)
		return 1
	}
	return 0
}
