package control_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/control"
)

// roleVariable makes the test binary play a role that reports and exits.
const roleVariable = "CONTROL_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		playRole()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func playRole() {
	reporter := control.NewReporter()
	reporter.Hello("sandkube-runtime", "1.2.3")
	reporter.ServiceStarting("kubelet")
	reporter.ServiceReady("kubelet", 12*time.Millisecond)
	reporter.ServiceNews("images", true, "2 images", []string{"broken.tar: the archive is cut off"})
	reporter.ServiceFailed("kubelet", errors.New("no cgroup"))
	reporter.Ready()
	reporter.Fatal("kubelet", fmt.Errorf("role ends: %w", io.EOF))
	fmt.Println("done")
}

// runRole runs a role with the given file as descriptor 3, and returns its output.
func runRole(t *testing.T, descriptor3 *os.File) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/proc/self/exe")
	command.Env = append(os.Environ(), roleVariable+"=node")
	if descriptor3 != nil {
		command.ExtraFiles = []*os.File{descriptor3}
	}
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("the role failed: %v\n%s", err, output)
	}
	return string(output)
}

func TestReporterWritesLinesOfTheSchema(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	runRole(t, writer)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	written, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"hello","program":"sandkube-runtime","version":"1.2.3"}
{"type":"service","service":"kubelet","state":"starting"}
{"type":"service","service":"kubelet","state":"ready","elapsedMs":12}
{"type":"service","service":"images","state":"ready","message":"2 images","problems":["broken.tar: the archive is cut off"]}
{"type":"service","service":"kubelet","state":"failed","message":"no cgroup"}
{"type":"ready"}
{"type":"fatal","service":"kubelet","message":"role ends: EOF"}
`
	if string(written) != want {
		t.Errorf("the role wrote\n%s\nwant\n%s", written, want)
	}
}

func TestRoleOutlivesItsListener(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if output := runRole(t, writer); output != "done\n" {
		t.Errorf("the role printed %q", output)
	}
}

func TestRoleNeedsNoListener(t *testing.T) {
	if output := runRole(t, nil); output != "done\n" {
		t.Errorf("the role printed %q", output)
	}
}

func TestReporterTakesNoOtherFileForAPipe(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	runRole(t, file)
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != 0 {
		t.Errorf("%d bytes were written to a file that happened to be descriptor 3", info.Size())
	}
}
