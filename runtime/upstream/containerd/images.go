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

	"sandkube.dev/upstream/containerd/imagestore"
)

// imagesCommand works on a node's images. Its standard output is lines of JSON: reports
// of progress, and at the end a result or what is wrong.
//
//	sandkube-containerd images --address SOCKET --snapshotter NAME VERB [ARGUMENTS]
func imagesCommand(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := newLines(os.Stdout)
	result, err := runImages(imagestore.Context(ctx), args[1:], out)
	var refusal *imagestore.Refusal
	if errors.As(err, &refusal) {
		return errors.Join(out.write("refusal", refusal), err)
	}
	if err != nil {
		return err
	}
	return out.write("result", result)
}

func runImages(ctx context.Context, args []string, out *lines) (result any, err error) {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	address := flags.String("address", "", "containerd's `socket`")
	snapshotter := flags.String("snapshotter", "", "the node's `snapshotter`")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *address == "" || *snapshotter == "" || flags.NArg() == 0 {
		return nil, errors.New("takes --address, --snapshotter and a verb")
	}
	progress := imagestore.NewProgress(func(report imagestore.Report) {
		// A reader that has gone is met again when the result is written.
		_ = out.write("progress", report)
	})
	store, err := imagestore.Open(*address, *snapshotter, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return runVerb(ctx, store, flags.Arg(0), flags.Args()[1:])
}

func runVerb(ctx context.Context, store *imagestore.Store, verb string, args []string) (any, error) {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	switch verb {
	case "load":
		tag := flags.String("tag", "", "`name` for the image")
		path, err := one(flags, args)
		if err != nil {
			return nil, err
		}
		return store.Load(ctx, path, *tag)
	default:
		return nil, fmt.Errorf("unknown verb %q", verb)
	}
}

// one parses flags and the one argument behind them.
func one(flags *flag.FlagSet, args []string) (string, error) {
	if err := flags.Parse(args); err != nil {
		return "", err
	}
	if flags.NArg() != 1 {
		return "", fmt.Errorf("%s takes one argument", flags.Name())
	}
	return flags.Arg(0), nil
}

// lines writes JSON values, one a line, each tagged with its type.
type lines struct {
	encoder *json.Encoder
}

func newLines(out io.Writer) *lines { return &lines{encoder: json.NewEncoder(out)} }

func (l *lines) write(kind string, value any) error {
	return l.encoder.Encode(map[string]any{"type": kind, kind: value})
}
