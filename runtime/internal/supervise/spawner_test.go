package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestProcessTellsHowItEnded(t *testing.T) {
	process := spawn(t, "fail")
	if code := process.Wait().ExitStatus(); code != 3 {
		t.Errorf("exit code is %d, want 3", code)
	}
	if err := process.Signal(syscall.SIGKILL); !errors.Is(err, ErrEnded) {
		t.Errorf("a signal to an ended process gives %v", err)
	}
}

func TestManyShortProcesses(t *testing.T) {
	results := make(chan int)
	for range 50 {
		go func() {
			argv, env := program("fail")
			process, err := spawner().Spawn(Program{Argv: argv, Env: env})
			if err != nil {
				results <- -1
				return
			}
			results <- process.Wait().ExitStatus()
		}()
	}
	for range 50 {
		if code := <-results; code != 3 {
			t.Errorf("exit code is %d, want 3", code)
		}
	}
}

func TestMissingProgram(t *testing.T) {
	_, err := spawner().Spawn(Program{Argv: []string{"/does/not/exist"}})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("error is %v", err)
	}
}

// The kernel sends Pdeathsig when the thread that forked ends, not only when the
// process does.
func TestProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	type result struct {
		thread  int
		process *Process
	}
	results := make(chan result)
	var onThread func()
	onThread = func() {
		runtime.LockOSThread()
		if syscall.Gettid() == syscall.Getpid() {
			// Go never ends the main thread: occupied by this goroutine, it is not the next one's.
			go onThread()
			<-t.Context().Done()
			return
		}
		// The thread of a goroutine that ends locked to it ends too.
		results <- result{syscall.Gettid(), spawn(t, "sleep")}
	}
	go onThread()
	r := <-results
	until(t, "the thread's end", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", r.thread))
		return os.IsNotExist(err)
	})
	if err := r.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if signal := r.process.Wait().Signal(); signal != syscall.SIGTERM {
		t.Errorf("the process was ended by the signal %s, not by the one it was sent", signal)
	}
}

// playParent starts a child and waits for its own death.
func playParent(act string) {
	argv, env := program(act)
	process, err := spawner().Spawn(Program{Argv: argv, Env: env, Sys: syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}})
	fmt.Println(process.PID, err)
	select {}
}

// firstLine starts a program and returns the first line of its output.
func firstLine(t *testing.T, act string) (*Process, string) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	process := spawn(t, act, nullFile(t), writer, os.Stderr)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("read from the program %q: %v", act, err)
	}
	return process, strings.TrimSpace(line)
}

func nullFile(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func TestKilledParentTakesItsChildAlong(t *testing.T) {
	parent, line := firstLine(t, "parent stubborn")
	child, err := strconv.Atoi(strings.TrimSuffix(line, " <nil>"))
	if err != nil {
		t.Fatalf("the parent printed %q", line)
	}
	if !isAlive(child) {
		t.Fatal("the child has not been alive")
	}
	if err := parent.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	until(t, "the child's end", func() bool { return !isAlive(child) })
}

// playOrphanage adopts an orphan, and tells whether it was waited for.
func playOrphanage() {
	const adopt = 36 // PR_SET_CHILD_SUBREAPER of linux/prctl.h
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, adopt, 1, 0); errno != 0 {
		fmt.Println(errno)
		return
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	// The shell's child outlives it for a moment, and holds the pipe until its own end.
	process, err := spawner().Spawn(Program{
		Argv:  []string{"/bin/sh", "-c", "sh -c 'echo $$; sleep 0.05' & exit 0"},
		Env:   os.Environ(),
		Files: []*os.File{os.Stdin, writer, os.Stderr},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = writer.Close()
	process.Wait()
	lines := bufio.NewReader(reader)
	line, err := lines.ReadString('\n')
	orphan, numberErr := strconv.Atoi(strings.TrimSpace(line))
	if err := errors.Join(err, numberErr); err != nil {
		fmt.Println(err)
		return
	}
	_, _ = lines.ReadString('\n')
	for range 1000 {
		if err := syscall.Kill(orphan, 0); errors.Is(err, syscall.ESRCH) {
			fmt.Println("reaped")
			return
		}
		_ = syscall.Nanosleep(&syscall.Timespec{Nsec: 5_000_000}, nil)
	}
	fmt.Println("left as it is")
}

func TestOrphansAreReaped(t *testing.T) {
	if _, line := firstLine(t, "orphanage"); line != "reaped" {
		t.Errorf("the orphan is %s", line)
	}
}

func TestRunNamesWhatFailed(t *testing.T) {
	argv, env := program("fail")
	err := Run(t.Context(), spawner(), argv, env)
	if err == nil || !strings.Contains(err.Error(), "exit code 3: last words") {
		t.Errorf("error is %v", err)
	}
	argv, env = program("nothing")
	if err := Run(t.Context(), spawner(), argv, env); err != nil {
		t.Error(err)
	}
}

func TestRunKillsWhatTakesTooLong(t *testing.T) {
	late := errors.New("took too long")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(late)
	argv, env := program("stubborn")
	if err := Run(ctx, spawner(), argv, env); !errors.Is(err, late) {
		t.Errorf("error is %v", err)
	}
}
