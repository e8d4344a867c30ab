package imagedirectory

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// loadLimit and pullLimit are how long one archive and one pull may take.
	loadLimit = 30 * time.Minute
	pullLimit = 60 * time.Minute
	// endLimit is how long the program may take to end once it is told to.
	endLimit = 10 * time.Second
)

// tool is the program that works on the node's images. What it needs memory for is given
// back when it ends.
type tool struct {
	program     string
	socket      string
	snapshotter string
	// hosts is a directory with the settings of registries, accounts a file.
	hosts, accounts string
}

// line is what the program writes: see its commands `images` and `registry`.
type line struct {
	Type     string `json:"type"`
	Progress struct {
		Phase      string `json:"phase"`
		Bytes      int64  `json:"bytes"`
		DoneBytes  int64  `json:"doneBytes"`
		TotalBytes int64  `json:"totalBytes"`
	} `json:"progress"`
	Refusal struct {
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"refusal"`
	Retry struct {
		Because string `json:"because"`
	} `json:"retry"`
	Result json.RawMessage `json:"result"`
}

// load loads an archive and returns the names of its images.
func (t tool) load(ctx context.Context, path string, tell func(progress string)) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, loadLimit, fmt.Errorf("not done within %s", loadLimit))
	defer cancel()
	result, err := t.run(ctx, nil, tell, "images", "--address", t.socket, "--snapshotter", t.snapshotter, "load", "--", path)
	if err != nil {
		return nil, err
	}
	var loaded []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(result, &loaded); err != nil {
		return nil, fmt.Errorf("what was loaded: %w", err)
	}
	var names []string
	for _, image := range loaded {
		names = append(names, image.Name)
	}
	return names, nil
}

// pull pulls one image, as the kubelet would.
func (t tool) pull(ctx context.Context, name string, tell func(progress string)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pullLimit, fmt.Errorf("not done within %s", pullLimit))
	defer cancel()
	request, err := json.Marshal(map[string]any{
		"reference": name, "socket": t.socket, "snapshotter": t.snapshotter,
		"hostsDirectory": t.hosts, "accountsFile": t.accounts,
	})
	if err != nil {
		return err
	}
	if _, err = t.run(ctx, request, tell, "registry", "pull"); err != nil {
		return fmt.Errorf("%s can not be pulled: %w", name, err)
	}
	return nil
}

// run runs the program to its end and returns the result that it writes.
func (t tool) run(ctx context.Context, input []byte, tell func(progress string), args ...string) (json.RawMessage, error) {
	// The program is killed when the thread that has started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, t.program, args...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = endLimit
	command.Stdin = bytes.NewReader(input)
	complaints := &tail{}
	command.Stderr = complaints
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	result, outcome := readLines(output, tell)
	ended := command.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case outcome != nil:
		return nil, outcome
	case ended != nil:
		return nil, errors.New(complaints.last(ended))
	case result == nil:
		return nil, fmt.Errorf("%s has written no result", t.program)
	}
	return result, nil
}

// readLines reads what the program writes, to the end.
func readLines(output io.Reader, tell func(progress string)) (result json.RawMessage, err error) {
	decoder := json.NewDecoder(bufio.NewReader(output))
	for {
		var one line
		if failure := decoder.Decode(&one); failure != nil {
			_, _ = io.Copy(io.Discard, output)
			if errors.Is(failure, io.EOF) {
				return result, err
			}
			return nil, errors.Join(err, failure)
		}
		switch one.Type {
		case "progress":
			tell(one.progress())
		case "retry":
			tell(one.Retry.Because + "; trying again")
		case "result":
			result = one.Result
		case "refusal":
			err = one.refusal()
		}
	}
}

func (l line) progress() string {
	phase, done := l.Progress.Phase, l.Progress.Bytes
	if phase == "" {
		phase, done = "pulling", l.Progress.DoneBytes
	}
	if l.Progress.TotalBytes == 0 {
		return phase
	}
	return fmt.Sprintf("%s, %d %%", phase, 100*done/l.Progress.TotalBytes)
}

// refusal is what is wrong with the file, or with the way to a registry.
func (l line) refusal() error {
	if l.Refusal.Hint == "" {
		return &refusedError{l.Refusal.Message}
	}
	return &refusedError{l.Refusal.Message + ". " + l.Refusal.Hint}
}

// tailBytes is how much of the program's complaints is kept.
const tailBytes = 4096

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if excess := len(t.kept) - tailBytes; excess > 0 {
		t.kept = append(t.kept[:0], t.kept[excess:]...)
	}
	return len(p), nil
}

// last is the last line, or else how the program ended.
func (t *tail) last(ended error) string {
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	if text := lines[len(lines)-1]; text != "" {
		return text
	}
	return ended.Error()
}
