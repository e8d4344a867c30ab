// Command sandkube-runtime holds all of Kubernetes that runs in a cluster: each
// role of a cluster is a process of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the build's version as a metric

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/heap"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/podstop"
	"sandkube.dev/runtime/internal/role"
	"sandkube.dev/runtime/internal/service"
	"sandkube.dev/runtime/internal/version"
)

const program = "sandkube-runtime"

const usage = `usage: sandkube-runtime VERB
  control-plane --spec FILE  run the datastore, API server, controllers and scheduler
  node --spec FILE --node NAME
                             run a node's kubelet; at SIGTERM stop it and all pods
  stop-pods --spec FILE --node NAME
                             stop all pods of a node, each with its grace period
  kubectl ...                Kubernetes' command-line tool
  helm ...                   the package manager for Kubernetes
  version                    print the version
`

func main() {
	os.Exit(run(os.Args))
}

// run serves the verb that is the program's name, when it is a link, or its first argument.
func run(args []string) int {
	name := filepath.Base(args[0])
	if name != "kubectl" && name != "helm" {
		if len(args) < 2 {
			fmt.Fprint(os.Stderr, usage)
			return 2
		}
		args = args[1:]
		name = args[0]
	}
	switch name {
	case "kubectl":
		return runKubectl(args)
	case "helm":
		return runHelm(args[1:])
	case "control-plane":
		return runControlPlane(args[1:])
	case "node":
		return runNode(args[1:])
	case "stop-pods":
		return runStopPods(args[1:])
	case "version":
		fmt.Println(version.Version)
		return 0
	default:
		fmt.Fprintf(os.Stderr, "%s: unknown verb %q\n%s", program, name, usage)
		return 2
	}
}

func loadSpec(verb string, args []string) (*nodespec.NodeSpec, error) {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	path := flags.String("spec", "", "the node spec's `file`")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *path == "" || flags.NArg() > 0 {
		return nil, fmt.Errorf("%s takes --spec FILE and nothing else", verb)
	}
	return nodespec.Load(*path)
}

func loadView(verb string, args []string) (*nodespec.NodeView, error) {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	path := flags.String("spec", "", "the node spec's `file`")
	node := flags.String("node", "", "the node's `name`")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *path == "" || *node == "" || flags.NArg() > 0 {
		return nil, fmt.Errorf("%s takes --spec FILE --node NAME and nothing else", verb)
	}
	return nodespec.LoadView(*path, *node)
}

func runControlPlane(args []string) int {
	const name = "control-plane"
	return runRole(name, func(ctx context.Context, reporter service.Reporter) error {
		spec, err := loadSpec(name, args)
		if err != nil {
			return err
		}
		return role.ControlPlane(ctx, spec, reporter)
	})
}

// runRole runs a role until SIGTERM or SIGINT, and reports how it ended.
func runRole(name string, run func(context.Context, service.Reporter) error) int {
	reporter := control.NewReporter()
	reporter.Hello(program, version.Version)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	err := run(ctx, heap.ForStart(reporter))
	if err != nil {
		reporter.Fatal(failedService(err), err)
		fmt.Fprintf(os.Stderr, "%s %s: %v\n", program, name, err)
		return 1
	}
	return 0
}

func failedService(err error) string {
	if failure, ok := errors.AsType[*service.Error](err); ok {
		return failure.Service
	}
	return ""
}

// runNode becomes stop-pods when the role is asked to stop: the kubelet would start
// again what is stopped, and only the end of its process ends it.
func runNode(args []string) int {
	const name = "node"
	code := runRole(name, func(ctx context.Context, reporter service.Reporter) error {
		view, err := loadView(name, args)
		if err != nil {
			return err
		}
		return role.Node(ctx, view, reporter)
	})
	if code != 0 {
		return code
	}
	executable, err := os.Executable()
	if err == nil {
		argv := append([]string{program, "stop-pods"}, args...)
		err = syscall.Exec(executable, argv, os.Environ())
	}
	fmt.Fprintf(os.Stderr, "%s node: stop pods: %v\n", program, err)
	return 1
}

func runStopPods(args []string) int {
	view, err := loadView("stop-pods", args)
	if err == nil {
		err = podstop.StopAll(context.Background(), view.ContainerdSocket())
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s stop-pods: %v\n", program, err)
		return 1
	}
	return 0
}
