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
	"sync"
	"syscall"

	"sandkube.dev/upstream/containerd/imagestore"
)

// imagesCommand works on a node's images. Its standard output is lines of JSON: reports
// of progress, and at the end a result or what is wrong.
//
//	sandkube-containerd images --address SOCKET --snapshotter NAME [--unpack-limit BYTES] VERB [ARGUMENTS]
//	sandkube-containerd images archive < RECIPE
func imagesCommand(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := newLines(os.Stdout)
	result, err := runImages(imagestore.Context(ctx), args[1:], out)
	if err != nil {
		return tellFailure(out, err)
	}
	return out.write("result", result)
}

func runImages(ctx context.Context, args []string, out *lines) (result any, err error) {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	address := flags.String("address", "", "containerd's `socket`")
	snapshotter := flags.String("snapshotter", "", "the node's `snapshotter`")
	limit := flags.Int64("unpack-limit", 0, "most `bytes` of an unpacked layer")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	progress := imagestore.NewProgress(func(report imagestore.Report) {
		// A reader that has gone is met again when the result is written.
		_ = out.write("progress", report)
	})
	if flags.Arg(0) == "archive" && flags.NArg() == 1 {
		recipe, err := readRecipe()
		if err != nil {
			return nil, err
		}
		return imagestore.BuildArchive(ctx, recipe, progress)
	}
	if *address == "" || *snapshotter == "" || flags.NArg() == 0 {
		return nil, errors.New("takes --address, --snapshotter and a verb")
	}
	store, err := imagestore.Open(ctx, *address, *snapshotter, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	store.UnpackLimitBytes = *limit
	if flags.Arg(0) == "copy" {
		return runCopy(ctx, store, *snapshotter, flags.Args()[1:])
	}
	return runVerb(ctx, store, flags.Arg(0), flags.Args()[1:])
}

// runCopy brings in images of another node, whose snapshotter is the same.
func runCopy(ctx context.Context, store *imagestore.Store, snapshotter string, args []string) (result any, err error) {
	flags := flag.NewFlagSet("copy", flag.ContinueOnError)
	from := flags.String("from", "", "the `socket` of the containerd that has the images")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *from == "" || flags.NArg() == 0 {
		return nil, errors.New("copy takes --from and names of images")
	}
	other, err := imagestore.Open(ctx, *from, snapshotter, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	return store.CopyFrom(ctx, other, flags.Args())
}

// archiveOutput is where an archive for "-" goes: standard output has the lines. Without
// such an archive, descriptor 3 is another of this process, and not to be touched.
func archiveOutput() io.WriteCloser { return os.NewFile(3, "archive") }

func runVerb(ctx context.Context, store *imagestore.Store, verb string, args []string) (any, error) {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	tag := flags.String("tag", "", "load: `name` for the image")
	output := flags.String("output", "", "save: `file` to write, or -")
	force := flags.Bool("force", false, "remove: used images too")
	all := flags.Bool("all", false, "prune: every image that is not used")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	rest := flags.Args()
	switch {
	case verb == "load" && len(rest) == 1:
		return store.Load(ctx, rest[0], *tag)
	case verb == "list" && len(rest) == 0:
		return store.List(ctx)
	case verb == "tag" && len(rest) == 2:
		return store.Tag(ctx, rest[0], rest[1])
	case verb == "remove" && len(rest) > 0:
		return store.Remove(ctx, rest, *force)
	case verb == "prune":
		return store.Prune(ctx, *all, rest)
	case verb == "save" && len(rest) > 0 && *output != "":
		return store.Save(ctx, rest, *output, archiveOutput)
	case verb == "build" && len(rest) == 0:
		recipe, err := readRecipe()
		if err != nil {
			return nil, err
		}
		return store.Build(ctx, recipe)
	default:
		return nil, fmt.Errorf("%s does not take these arguments", verb)
	}
}

// readRecipe reads what an image is made of. It is not an argument: those of a process can
// be read by all, and variables may be secret.
func readRecipe() (recipe imagestore.Recipe, err error) {
	if err := json.NewDecoder(os.Stdin).Decode(&recipe); err != nil {
		return recipe, fmt.Errorf("the recipe: %w", err)
	}
	return recipe, nil
}

// lines writes JSON values, one a line, each tagged with its type. Its methods may be called
// at the same time.
type lines struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func newLines(out io.Writer) *lines { return &lines{encoder: json.NewEncoder(out)} }

func (l *lines) write(kind string, value any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.encoder.Encode(map[string]any{"type": kind, kind: value})
}
