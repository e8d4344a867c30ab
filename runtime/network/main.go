// Command sandkube-network is the part of the nodes' network that the kernel does not do:
// Services, the cluster's DNS, the way out, NetworkPolicies.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/heap"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/service"
	"sandkube.dev/runtime/internal/version"
)

const (
	program = "sandkube-network"
	role    = "network"
)

const usage = `usage: sandkube-network VERB
  run --spec FILE  run the nodes' network until SIGTERM
  version          print the version
`

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) == 1 && args[0] == "version" {
		fmt.Println(version.Version)
		return 0
	}
	if len(args) == 0 || args[0] != "run" {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	reporter := control.NewReporter()
	reporter.Hello(program, version.Version)
	spec, err := loadSpec(args[1:])
	if err == nil {
		ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer cancel()
		logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
		err = runNetwork(ctx, spec, heap.ForStart(reporter), logger)
	}
	if err != nil {
		reporter.Fatal(failedService(err), err)
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		return 1
	}
	return 0
}

func loadSpec(args []string) (*nodespec.NodeSpec, error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	path := flags.String("spec", "", "the node spec's `file`")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *path == "" || flags.NArg() > 0 {
		return nil, errors.New("run takes --spec FILE and nothing else")
	}
	spec, err := nodespec.Load(*path)
	if err == nil && spec.Node == nil {
		err = errors.New("the spec has no node")
	}
	return spec, err
}

func failedService(err error) string {
	if failure, ok := errors.AsType[*service.Error](err); ok {
		return failure.Service
	}
	return ""
}
