package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/nodespec"
)

// TestMain lets the test binary play all programs, by the name it is started as: the
// supervisor is the real one, the programs that it supervises are stand-ins that
// only note what happens to them.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "sandkube-supervisor":
		main()
	case "sandkube-oci":
		os.Exit(playHost())
	case "sandkube-containerd":
		os.Exit(playContainerd())
	case "sandkube-runtime":
		os.Exit(playRole(os.Args[1]))
	case "sandkube-network":
		os.Exit(playRole(networkRole))
	case shimProgram:
		signal.Ignore(syscall.SIGTERM)
		sleepForever()
	}
	os.Exit(m.Run())
}

// sleepForever waits for a signal. An empty select would not do: a program without cgo
// in which no goroutine can go on is ended as deadlocked.
func sleepForever() {
	for {
		time.Sleep(time.Hour)
	}
}

// programNames are what a programs directory holds, as far as the supervisor starts it.
var programNames = []string{"sandkube-supervisor", "sandkube-runtime", "sandkube-oci", "sandkube-containerd", "sandkube-network", shimProgram}

// Files in the cluster's directory by which tests and stand-ins talk.
const (
	// notesFile gets a line for each thing that happens to a stand-in.
	notesFile = "notes"
	// stubbornFile makes the node role ignore SIGTERM.
	stubbornFile = "stubborn"
	// failingHostFile makes host-setup fail, halfway through its changes.
	failingHostFile = "host-fails"
)

func note(directory, line string) {
	file, err := os.OpenFile(filepath.Join(directory, notesFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = fmt.Fprintln(file, line)
}

func playHost() int {
	verb := os.Args[1]
	spec, err := nodespec.Load(os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	note(spec.Cluster.Directory, verb)
	// The record says, beyond the cluster's directory, that there is something to undo.
	record, err := os.ReadFile(spec.HostRecord())
	switch {
	case verb == "host-setup":
		err = os.WriteFile(spec.HostRecord(), []byte(markerOf(spec)), 0o600)
		err = errors.Join(err, os.WriteFile(markerOf(spec), nil, 0o600))
	case err == nil:
		err = errors.Join(os.Remove(string(record)), os.Remove(spec.HostRecord()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if exists, _ := exists(spec.Path(failingHostFile)); exists && verb == "host-setup" {
		fmt.Fprintln(os.Stderr, "make the bridge: operation not permitted")
		return 1
	}
	return 0
}

// markerOf is a file outside of the cluster's directory that stands for a changed sandbox.
func markerOf(spec *nodespec.NodeSpec) string {
	return spec.Cluster.Directory + ".changed"
}

func playContainerd() int {
	config := os.Args[3]
	node := filepath.Dir(filepath.Dir(config))
	socket := filepath.Join(node, "run", "containerd.sock")
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer listener.Close()
	return untilStopped(filepath.Dir(node), "containerd"+strings.TrimPrefix(filepath.Base(node), "node"))
}

func playRole(role string) int {
	reporter := control.NewReporter()
	reporter.Hello(filepath.Base(os.Args[0]), "test")
	spec, err := nodespec.Load(os.Args[3])
	if err != nil {
		reporter.Fatal("", err)
		return 1
	}
	if role == nodeKind {
		view, err := spec.View(os.Args[5])
		if err != nil {
			reporter.Fatal("", err)
			return 1
		}
		role = view.RoleName(nodeKind)
		note(spec.Cluster.Directory, role+" has "+os.Getenv("FROM_SPEC"))
	}
	reporter.ServiceStarting("work")
	reporter.ServiceReady("work", time.Millisecond)
	reporter.Ready()
	if exists, _ := exists(spec.Path(stubbornFile)); exists && strings.HasPrefix(role, nodeKind) {
		signal.Ignore(syscall.SIGTERM)
		sleepForever()
	}
	return untilStopped(spec.Cluster.Directory, role)
}

func untilStopped(directory, role string) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	<-signals
	note(directory, role+" stopped")
	return 0
}

// notes returns the lines that stand-ins have written.
func notes(t *testing.T, spec *nodespec.NodeSpec) []string {
	t.Helper()
	content, err := os.ReadFile(spec.Path(notesFile))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}
