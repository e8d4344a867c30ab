package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sandkube.dev/runtime/internal/control"
	"sandkube.dev/runtime/internal/control/controltest"
	"sandkube.dev/runtime/internal/nodespec"
)

func TestSecondSupervisorGivesUp(t *testing.T) {
	cluster := newCluster(t, controlPlaneOnly)
	cluster.start(t)
	cluster.awaitReady(t)
	second := &testCluster{spec: cluster.spec, specPath: cluster.specPath}
	second.start(t)
	if code := second.awaitEnd(t); code != 1 {
		t.Errorf("exit code is %d", code)
	}
	if want := fmt.Sprintf("process %d", cluster.supervisor.Process.Pid); !strings.Contains(second.output.String(), want) {
		t.Errorf("the error does not name %s: %s", want, second.output)
	}
	cluster.awaitReady(t)
	cluster.stop(t, 0)
}

func TestStartFailsReadably(t *testing.T) {
	tests := []struct {
		name    string
		spec    func(*nodespec.NodeSpec)
		prepare func(t *testing.T, cluster *testCluster)
		want    string
	}{
		{"no spec", controlPlaneOnly, func(t *testing.T, c *testCluster) { c.specPath += ".missing" }, "node-spec.json.missing"},
		{"bad spec", controlPlaneOnly, func(t *testing.T, c *testCluster) {
			if err := os.WriteFile(c.specPath, []byte(`{"kind":"Pod"}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "kind"},
		{"host-setup fails", full, func(t *testing.T, c *testCluster) {
			if err := os.WriteFile(c.spec.Path(failingHostFile), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "make the bridge: operation not permitted"},
		{"port in use", controlPlaneOnly, func(t *testing.T, c *testCluster) {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", c.spec.ControlPlane.Port))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
		}, "address already in use"},
		{"path of the socket too long", func(spec *nodespec.NodeSpec) {
			spec.Node, spec.Nodes = nil, nil
			spec.Cluster.Directory = filepath.Join(spec.Cluster.Directory, strings.Repeat("x", 100))
		}, func(*testing.T, *testCluster) {}, "control socket"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cluster := newCluster(t, test.spec)
			test.prepare(t, cluster)
			cluster.start(t)
			if code := cluster.awaitEnd(t); code != 1 {
				t.Errorf("exit code is %d", code)
			}
			lines := strings.Split(strings.TrimSpace(cluster.output.String()), "\n")
			if last := lines[len(lines)-1]; !strings.Contains(last, test.want) {
				t.Errorf("the last line is %q, want it to say %q", last, test.want)
			}
			cluster.checkGone(t)
		})
	}
}

// While the port is waited for, the supervisor answers, and then tells why it ends.
func TestFailureIsAnEvent(t *testing.T) {
	cluster := newCluster(t, controlPlaneOnly)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", cluster.spec.ControlPlane.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cluster.start(t)
	cluster.awaitStatus(t, "the control socket", func(control.Status) bool { return true })
	events := controltest.Open(t, cluster.spec.ControlSocket(), control.Request{Command: "events"}).Rest()
	fatal := slices.IndexFunc(events, func(event control.Event) bool { return event.Type == control.Fatal })
	if fatal < 0 || events[fatal].Role != supervisorRole || !strings.Contains(events[fatal].Message, "port") {
		t.Errorf("events are %+v", events)
	}
	if last := events[len(events)-1]; last.Type != control.AllStopped {
		t.Errorf("the last event is %+v", last)
	}
}
