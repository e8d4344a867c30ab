package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Run runs a program to its end, and kills it when ctx is done. Its output goes to
// this process's stderr; the error of a failed program holds the last line of it.
func Run(ctx context.Context, spawner *Spawner, argv, env []string) error {
	name := strings.Join(append([]string{filepath.Base(argv[0])}, argv[1:min(2, len(argv))]...), " ")
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer null.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	process, err := spawner.Spawn(Program{
		Argv: argv, Env: env,
		Files: []*os.File{null, writer, writer},
		Sys:   syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	_ = writer.Close()
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), reader.Close())
	}
	output := pump(reader, os.Stderr)
	select {
	case <-process.Ended():
	case <-ctx.Done():
		err = errors.Join(context.Cause(ctx), process.Signal(syscall.SIGKILL))
	}
	status := process.Wait()
	waitDrained(output.done)
	last, crash := output.tail.output()
	message := findCause(last, crash).Message
	switch {
	case err != nil:
		return fmt.Errorf("%s was killed: %w (last output: %q)", name, err, message)
	case status.Signaled():
		return fmt.Errorf("%s was ended by the signal %s: %s", name, status.Signal(), message)
	case status.ExitStatus() != 0:
		return fmt.Errorf("%s ended with exit code %d: %s", name, status.ExitStatus(), message)
	}
	return nil
}
