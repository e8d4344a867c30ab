package nodeinit

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/nodespec"
)

// insideVariable says that the process is the first one of new namespaces.
const insideVariable = "NODEINIT_TEST_INSIDE"

// inNode runs a test in a process that is the first one of new mount and pid
// namespaces, as node-init is. The test fails if that changes the mounts, or the
// directories with fixed paths, outside.
func inNode(t *testing.T, test func(t *testing.T, scene *scene)) {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		test(t, newScene(t))
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	before := outside(t)
	command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), insideVariable+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	output, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("inside the node: %v\n%s", err, output)
	}
	if strings.Contains(string(output), "--- SKIP") {
		t.Skipf("inside the node:\n%s", output)
	}
	if after := outside(t); after != before {
		t.Errorf("outside, this has changed:\n%s\nbefore:\n%s", after, before)
	}
}

// outside describes what the preparation of a node may not change.
func outside(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	description := string(mounts)
	for _, directory := range []string{"/", "/run", "/var/lib", "/var/log", "/dev", "/proc/sys/kernel", "/proc/sys/vm"} {
		entries, err := os.ReadDir(directory)
		if err != nil {
			t.Fatal(err)
		}
		description += "\n" + directory + ":"
		for _, entry := range entries {
			description += " " + entry.Name()
		}
	}
	for _, setting := range []string{"kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory"} {
		value, err := os.ReadFile("/proc/sys/" + setting)
		if err != nil {
			t.Fatal(err)
		}
		description += "\n" + setting + " " + string(value)
	}
	return description
}

// scene is a sandbox as a node finds it: /run, /var/lib and /var/log are directories
// of the test's own, the cluster's directory lies below /var/lib.
type scene struct {
	spec     *nodespec.NodeView
	warnings []error
	// originals are the sandbox's directories, without what the node mounts on them.
	originals map[string]*os.Root
}

func newScene(t *testing.T) *scene {
	t.Helper()
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	s := &scene{originals: make(map[string]*os.Root)}
	for _, directory := range []string{"/run", "/var/lib", "/var/log"} {
		must(t, unix.Mount("tmpfs", directory, "tmpfs", 0, "mode=0755"))
		view := t.TempDir()
		must(t, unix.Mount(directory, view, "", unix.MS_BIND, ""))
		t.Cleanup(func() { _ = unix.Unmount(view, unix.MNT_DETACH) })
		root, err := os.OpenRoot(view)
		must(t, err)
		s.originals[directory] = root
	}
	must(t, os.Mkdir("/run/user", 0o700))
	must(t, os.WriteFile("/run/user/note", []byte("the user's"), 0o600))
	must(t, os.Mkdir("/run/volume", 0o755))
	must(t, unix.Mount("tmpfs", "/run/volume", "tmpfs", 0, ""))
	must(t, os.WriteFile("/run/volume/nested", nil, 0o600))
	must(t, os.Symlink("user/note", "/run/link"))
	must(t, os.WriteFile("/run/pid", []byte("42"), 0o640))
	must(t, unix.Mkfifo("/run/fifo", 0o600))
	listener, err := net.Listen("unix", "/run/socket")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	must(t, os.Chmod("/run", os.ModeSticky|0o775))

	spec, err := nodespec.Load("../../../protocol/testdata/node-spec-full-kernel.json")
	must(t, err)
	spec.Cluster.Directory = "/var/lib/sandkube/default"
	spec.Node.StandIns.Sysctls = nil
	must(t, os.MkdirAll(spec.Cluster.Directory, 0o700))
	s.spec = spec.Views()[0]
	return s
}

func (s *scene) prepare(t *testing.T) {
	t.Helper()
	must(t, Prepare(s.spec, func(warning error) { s.warnings = append(s.warnings, warning) }))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return string(content)
}

// mountsAt returns the lines of the mount table for a mount point, the topmost last.
func mountsAt(t *testing.T, path string) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(read(t, "/proc/self/mountinfo")) {
		if strings.Fields(line)[4] == path {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// fill makes an empty file for each name.
func fill(t *testing.T, directory string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(directory, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, nil, 0o644))
	}
}
