// Command sandkube-supervisor keeps a cluster's processes running.
//
// `run` is the root of a cluster's processes, and the only one that its users talk
// to, at the control socket. `node-init` is the first process of a node: it has a
// mount and a pid namespace of its own, in which it runs containerd and the kubelet.
// `network-init` has a mount namespace of its own, in which it runs the network of
// several nodes. All live as long as the cluster does, so the program is small and
// holds no Kubernetes code.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/version"
)

const program = "sandkube-supervisor"

const usage = `usage: sandkube-supervisor VERB
  run --spec FILE                    run a cluster until it is told to stop
  node-init --spec FILE --node NAME  run a node; the first process of new mount and pid namespaces
  network-init --spec FILE           run the network of several nodes; in a new mount namespace
  version                            print the version
`

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	// All verbs do little and live long: memory counts, speed does not.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(25)
	os.Exit(dispatch(os.Args[1:]))
}

func dispatch(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	}
	verb := args[0]
	var err error
	switch verb {
	case "run":
		err = withSpec(verb, args[1:], run)
	case "node-init":
		err = withView(verb, args[1:], nodeInit)
	case "network-init":
		err = withSpec(verb, args[1:], networkInit)
	case "version":
		fmt.Println(version.Version)
	default:
		fmt.Fprintf(os.Stderr, "%s: unknown verb %q\n%s", program, verb, usage)
		return exitUsage
	}
	if err != nil {
		// Whoever started this shows the last line of its output.
		fmt.Fprintf(os.Stderr, "%s %s: %s\n", program, verb, strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitFailure
	}
	return 0
}

// specFile is a node spec and where it was read from.
type specFile struct {
	path string
	spec *nodespec.NodeSpec
}

// withSpec parses --spec and calls action with a function that reads the file.
func withSpec(verb string, args []string, action func(read func() (*specFile, error)) error) error {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	path := flags.String("spec", "", "the node spec's `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" || flags.NArg() > 0 {
		return fmt.Errorf("takes --spec FILE and nothing else")
	}
	return action(func() (*specFile, error) { return readSpecFile(*path) })
}

func readSpecFile(path string) (*specFile, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	spec, err := nodespec.Load(absolute)
	if err != nil {
		return nil, err
	}
	return &specFile{path: absolute, spec: spec}, nil
}

// nodeFile is a node spec as one node has it, and where it was read from.
type nodeFile struct {
	path string
	view *nodespec.NodeView
}

// withView is withSpec for a verb that takes --node too.
func withView(verb string, args []string, action func(read func() (*nodeFile, error)) error) error {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	path := flags.String("spec", "", "the node spec's `file`")
	name := flags.String("node", "", "the node's `name`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" || *name == "" || flags.NArg() > 0 {
		return fmt.Errorf("takes --spec FILE --node NAME and nothing else")
	}
	return action(func() (*nodeFile, error) {
		file, err := readSpecFile(*path)
		if err != nil {
			return nil, err
		}
		view, err := file.spec.View(*name)
		if err != nil {
			return nil, err
		}
		return &nodeFile{path: file.path, view: view}, nil
	})
}
