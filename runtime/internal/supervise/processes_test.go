package supervise

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
)

// limit is how long a test waits for a process.
const limit = 20 * time.Second

// actVariable makes the test binary play a program that is supervised.
const actVariable = "SUPERVISE_TEST_ACT"

func TestMain(m *testing.M) {
	if act := os.Getenv(actVariable); act != "" {
		play(act)
	}
	os.Exit(m.Run())
}

// spawner is the only one that a process may have.
var spawner = sync.OnceValue(NewSpawner)

// program returns the test binary in the role of a program.
func program(act string) (argv, env []string) {
	return []string{"/proc/self/exe"}, append(os.Environ(), actVariable+"="+act)
}

func play(act string) {
	name, argument, _ := strings.Cut(act, " ")
	switch name {
	case "fail":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(3)
	case "panic":
		panic("boom")
	case "fatal":
		reporter := control.NewReporter()
		reporter.Report(control.Event{Type: control.Hello, Program: "program", Version: "1", Role: "name of its own"})
		reporter.Fatal("kubelet", fmt.Errorf("no cgroup"))
		os.Exit(1)
	case "exit-starting":
		reporter := control.NewReporter()
		reporter.ServiceStarting("containers")
		reporter.ServiceReady("containers", time.Millisecond)
		for _, service := range strings.Fields(argument) {
			reporter.ServiceStarting(service)
		}
		fmt.Println("no port")
		os.Exit(1)
	case "sleep":
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "command":
		grace, err := ReadStopCommand(os.NewFile(4, "commands"))
		fmt.Println(grace, err)
		os.Exit(0)
	case "parent":
		playParent(argument)
	case "orphanage":
		playOrphanage()
	}
	os.Exit(0)
}

func spawn(t *testing.T, act string, files ...*os.File) *Process {
	t.Helper()
	argv, env := program(act)
	process, err := spawner().Spawn(Program{Argv: argv, Env: env, Files: files, Sys: syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Signal(syscall.SIGKILL)
		process.Wait()
	})
	return process
}

// until fails the test when a condition does not come true within the limit.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}

func isAlive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses.
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
