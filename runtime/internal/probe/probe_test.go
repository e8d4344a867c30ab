package probe

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wantIDs are the facts that the plan may ask for.
func wantIDs() []string {
	return strings.Fields(`
		namespace.mount namespace.pid namespace.network namespace.uts namespace.ipc
		namespace.cgroup namespace.user setns.pid
		mount.tmpfs mount.bind mount.proc mount.propagation-private mount.propagation-shared
		mount.bind-over-proc-sys mount.tmpfs-inode-options mount.file-bind-by-program
		overlay.upper-on-data overlay.upper-on-tmpfs
		cgroup.mounted cgroup.v1-mountable cgroup.v2 cgroup.memory-enforced
		proc-sys.kernel/panic proc-sys.kernel/panic_on_oops proc-sys.kernel/keys/root_maxkeys
		proc-sys.kernel/keys/root_maxbytes proc-sys.vm/overcommit_memory
		proc-sys.vm/panic_on_oom proc-sys.kernel/cap_last_cap proc-sys.kernel/shm_rmid_forced
		proc-sys.net/ipv4/ip_unprivileged_port_start proc-sys.net/ipv4/ping_group_range
		procfs.root-inode device.kmsg seccomp.filter keyring.session keyring.reclaimed
		oom-score.lower process.pidfd
		network.bridge network.veth network.bridge-port network.veth-into-namespace
		network.raw-socket network.tap-port network.iptables network.loopback-range`)
}

// checkReport checks what holds of every report, whatever the sandbox.
func checkReport(t *testing.T, r Report) {
	t.Helper()
	got := slices.Sorted(maps.Keys(r.Facts))
	want := slices.Sorted(slices.Values(wantIDs()))
	if !slices.Equal(got, want) {
		t.Errorf("the facts are\n%v\nwant\n%v", got, want)
	}
	states := []State{Yes, No, Timeout, Crash, Skipped}
	errno := regexp.MustCompile(`^(E[A-Z0-9]+|errno \d+)?$`)
	for id, result := range r.Facts {
		if !slices.Contains(states, result.State) || result.Detail == "" || !errno.MatchString(result.Errno) {
			t.Errorf("%s = %+v", id, result)
		}
		if result.State == Yes && result.Errno != "" {
			t.Errorf("%s works and has an error number: %+v", id, result)
		}
	}
	if r.Schema != 1 || r.System.KernelRelease == "" || r.System.CPUCount < 1 ||
		r.System.MemoryTotalBytes == 0 || r.System.MemoryTotalBytes < r.System.MemoryAvailableBytes ||
		r.System.RootFilesystem == "" || r.System.DataFilesystem == "" ||
		r.System.DataFreeBytes > maxSafeInteger || r.System.Capabilities == nil {
		t.Errorf("the system section is incomplete: %+v", r.System)
	}
}

// takeSurvey probes as the user, in mount and network namespaces of the survey's own so
// that what others do meanwhile on this machine is not taken for a trace.
func takeSurvey(t *testing.T, uid uint32) survey {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to make the surroundings of the probe")
	}
	directory, err := os.MkdirTemp("", "survey-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	if err := os.Chown(directory, int(uid), int(uid)); err != nil {
		t.Fatal(err)
	}
	// On a busy machine a fact may take longer than in a sandbox that is started.
	command := exec.Command("/proc/self/exe", verbSurvey, "-timeout", "20s")
	command.Env = append(os.Environ(), "TMPDIR="+directory, "SANDKUBE_DATA="+directory)
	command.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Credential:   &syscall.Credential{Uid: uid, Gid: uid},
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("the probe failed: %v: %s", err, &stderr)
	}
	var s survey
	if err := json.Unmarshal(output, &s); err != nil {
		t.Fatalf("decode the survey: %v: %s", err, output)
	}
	return s
}

func TestProbeLeavesNoTrace(t *testing.T) {
	for name, uid := range map[string]uint32{"root": 0, "unprivileged": 1000} {
		t.Run(name, func(t *testing.T) {
			s := takeSurvey(t, uid)
			checkReport(t, s.Report)
			// What another probe left when killed is for this one to remove.
			s.Before = slices.DeleteFunc(s.Before, isLeftoverTrace)
			if !slices.Equal(s.Before, s.After) {
				t.Errorf("before:\n%s\nafter:\n%s", strings.Join(s.Before, "\n"), strings.Join(s.After, "\n"))
			}
			if s.Report.System.UID != int(uid) {
				t.Errorf("uid = %d, want %d", s.Report.System.UID, uid)
			}
			for id, result := range s.Report.Facts {
				if result.State == Timeout || result.State == Crash {
					t.Errorf("%s = %+v", id, result)
				}
			}
		})
	}
}

func isLeftoverTrace(trace string) bool { return strings.Contains(trace, leftoverPrefix) }

func TestProbeReportsWhatThisMachineShows(t *testing.T) {
	r := takeSurvey(t, 0).Report
	for _, name := range []string{"kernel/cap_last_cap", "vm/overcommit_memory", "kernel/panic"} {
		got := r.Facts["proc-sys."+name]
		content, err := os.ReadFile(filepath.Join("/proc/sys", name))
		switch {
		case err == nil && (got.State != Yes || got.Value != strings.TrimSpace(string(content))):
			t.Errorf("%s = %+v, want the value %q", name, got, content)
		case err != nil && got.State != No:
			t.Errorf("%s = %+v, want no: %v", name, got, err)
		}
	}
	// The survey itself was started in these.
	for _, id := range []string{"namespace.mount", "namespace.network"} {
		if r.Facts[id].State != Yes {
			t.Errorf("%s = %+v, want yes", id, r.Facts[id])
		}
	}
	if r.System.DefaultRouteDevice != nil || r.System.DefaultRouteMTU != nil {
		t.Errorf("a new network namespace has a default route: %+v", r.System)
	}
}

func TestProbeWithoutPrivilegeIsRefused(t *testing.T) {
	s := takeSurvey(t, 1000)
	if len(s.Report.System.Capabilities) != 0 {
		t.Fatalf("capabilities = %v, want none", s.Report.System.Capabilities)
	}
	for _, id := range []string{"namespace.network", "mount.tmpfs", "network.bridge", "cgroup.v1-mountable", "overlay.upper-on-data"} {
		if got := s.Report.Facts[id]; got.State != No || got.Errno != "EPERM" {
			t.Errorf("%s = %+v, want no with EPERM", id, got)
		}
	}
}

// TestKilledProbe kills a probe that hangs and looks for its children and its directory.
func TestKilledProbe(t *testing.T) {
	data := t.TempDir()
	command := exec.Command("/proc/self/exe", verbHang, data)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	// Only then: a cgroup of a probe killed amid its other trials waits for the next one.
	await(t, "the child that hangs to be the last one", func() bool {
		left := children(t, data)
		return len(left) == 1 && strings.Contains(left[0], "failing.hang")
	})
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	await(t, "the end of all children", func() bool { return len(children(t, data)) == 0 })

	leftovers, err := filepath.Glob(filepath.Join(data, scratchPrefix+"*"))
	if err != nil || len(leftovers) != 1 {
		t.Fatalf("the killed probe left %v (%v), want its scratch directory", leftovers, err)
	}
	long := time.Now().Add(-2 * leftoverAge)
	if err := os.Chtimes(leftovers[0], long, long); err != nil {
		t.Fatal(err)
	}
	next := makeScratch(data)
	next.remove()
	if entries, err := os.ReadDir(data); err != nil || len(entries) != 0 {
		t.Errorf("the next probe left %v (%v)", entries, err)
	}
}

// children lists the command lines of the processes that work in a scratch directory below data.
func children(t *testing.T, data string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		cmdline, err := os.ReadFile(path)
		if err == nil && bytes.Contains(cmdline, []byte(verb+"\x00")) && bytes.Contains(cmdline, []byte(data)) {
			found = append(found, string(cmdline))
		}
	}
	return found
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	const limit = 20 * time.Second
	for began := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > limit {
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}
