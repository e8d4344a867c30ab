package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sandkube.dev/upstream/containerd/pull"
	"sandkube.dev/upstream/containerd/refusal"
	"sandkube.dev/upstream/containerd/registrycheck"
	"sandkube.dev/upstream/containerd/registryconfig"
)

// registryCommand does what concerns registries. What is asked for comes as JSON on
// standard input, since it may hold a password; standard output is lines of JSON.
//
//	registry configure --config FILE --hosts DIRECTORY --accounts FILE
//	registry pull < REQUEST
//	registry check < REQUEST
func registryCommand(args []string) error {
	if len(args) < 2 {
		return errors.New("takes a verb: configure, pull or check")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch verb, rest := args[1], args[2:]; verb {
	case "configure":
		return configureRegistries(rest)
	case "pull":
		return pullImage(ctx, os.Stdin, newLines(os.Stdout))
	case "check":
		return checkRegistry(ctx, os.Stdin, newLines(os.Stdout))
	default:
		return fmt.Errorf("unknown verb %q", verb)
	}
}

// configureRegistries writes what a registries.yaml says in containerd's words.
func configureRegistries(args []string) error {
	flags := flag.NewFlagSet("configure", flag.ContinueOnError)
	file := flags.String("config", "", "the registries.yaml `file`")
	hosts := flags.String("hosts", "", "new `directory` with one for each registry")
	accounts := flags.String("accounts", "", "new `file` for accounts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := registryconfig.Load(*file)
	if err != nil {
		return err
	}
	return errors.Join(config.WriteHosts(*hosts), config.WriteAccounts(*accounts))
}

// pullImage pulls one image and tells how it goes on.
func pullImage(ctx context.Context, in io.Reader, out *lines) error {
	var request pull.Request
	if err := json.NewDecoder(in).Decode(&request); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	result, err := pull.Pull(ctx, request, pullListener{out: out})
	if err != nil {
		return tellFailure(out, err)
	}
	return out.write("result", result)
}

// checkRegistry goes the way to an image step by step.
func checkRegistry(ctx context.Context, in io.Reader, out *lines) error {
	var request pull.Request
	if err := json.NewDecoder(in).Decode(&request); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	err := registrycheck.Run(ctx, request, func(step registrycheck.Step) {
		_ = out.write("step", step)
	})
	if err != nil {
		return tellFailure(out, err)
	}
	return out.write("result", nil)
}

// tellFailure writes an error that the reader knows to tell apart, and returns it.
func tellFailure(out *lines, err error) error {
	var refused *refusal.Refusal
	if errors.As(err, &refused) {
		return errors.Join(out.write("refusal", refused), err)
	}
	return err
}

// pullListener writes what it is told as lines of JSON. A reader that has gone is met again
// when the result is written.
type pullListener struct {
	out *lines
}

func (l pullListener) Progress(progress pull.Progress) {
	_ = l.out.write("progress", progress)
}

func (l pullListener) Retry(because string, delay time.Duration) {
	_ = l.out.write("retry", map[string]any{"because": because, "delayMs": delay.Milliseconds()})
}
