package sysctl

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPath(t *testing.T) {
	for name, want := range map[string]string{
		"kernel.shm_rmid_forced":    "kernel/shm_rmid_forced",
		"net.ipv4.conf.eth0/1.mtu":  "net/ipv4/conf/eth0.1/mtu",
		"net/ipv4/conf/eth0.1/mtu":  "net/ipv4/conf/eth0.1/mtu",
		"kernel/../../etc/passwd":   "",
		"kernel.//.//.etc.passwd":   "",
		"single":                    "",
		"":                          "",
		"/kernel/shm_rmid_forced":   "",
		"kernel.yama.ptrace_scope":  "kernel/yama/ptrace_scope",
		"fs.mqueue.queues_max":      "fs/mqueue/queues_max",
		"kernel/shm_rmid_forced/..": "",
	} {
		got, err := path(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is at %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestMissing(t *testing.T) {
	settings := map[string]string{"kernel.hostname": "x", "kernel.no_such_setting": "1", "no.such.directory": "2"}
	want := map[string]string{"kernel.no_such_setting": "1", "no.such.directory": "2"}
	if got, err := Missing(settings); err != nil || !maps.Equal(got, want) {
		t.Errorf("missing are %v (%v), want %v", got, err, want)
	}
	if _, err := Missing(map[string]string{"nothing": ""}); err == nil {
		t.Error("a name without a directory is taken")
	}
}

const insideVariable = "SANDKUBE_TEST_INSIDE"

func TestBind(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		again(t)
		return
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	bundle := t.TempDir()
	must(t, unix.Mount("tmpfs", bundle, "tmpfs", 0, ""))
	t.Cleanup(func() { must(t, unix.Unmount(bundle, unix.MNT_DETACH)) })
	proc := filepath.Join(bundle, "rootfs", "proc")
	must(t, os.MkdirAll(proc, 0o755))
	must(t, unix.Mount("proc", proc, "proc", 0, ""))
	must(t, Prepare(bundle, map[string]string{
		"kernel.no_such_setting": "1", "vm.nor_such": "a b", "fs.no_such.directory": "3", "fs.inotify.no_such": "4",
	}))
	must(t, Bind(bundle, proc))

	for name, want := range map[string]string{
		"kernel/no_such_setting": "1\n",
		"vm/nor_such":            "a b\n",
		"fs/no_such/directory":   "3\n",
		"fs/inotify/no_such":     "4\n",
	} {
		if content, err := os.ReadFile(filepath.Join(proc, "sys", name)); string(content) != want {
			t.Errorf("%s is %q (%v), want %q", name, content, err, want)
		}
	}
	var info unix.Statfs_t
	for _, name := range []string{"kernel/hostname", "fs/file-max", "fs/inotify/max_user_watches"} {
		must(t, unix.Statfs(filepath.Join(proc, "sys", name), &info))
		if info.Type != unix.PROC_SUPER_MAGIC {
			t.Errorf("%s is not the kernel's own file", name)
		}
	}
	for _, name := range []string{"kernel/no_such_setting", "kernel/hostname"} {
		err := os.WriteFile(filepath.Join(proc, "sys", name), []byte("x"), 0)
		if err == nil || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("writing %s: %v", name, err)
		}
	}
}

func TestBindWantsProcfs(t *testing.T) {
	if err := Bind(t.TempDir(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "no procfs") {
		t.Errorf("error is %v", err)
	}
}

// again runs the test in a mount and a pid namespace of its own; without root in a user
// namespace too.
func again(t *testing.T) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), insideVariable+"=1")
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	command.SysProcAttr = attributes
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("in namespaces of its own: %v\n%s", err, output)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
