package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sandkube.dev/runtime/internal/nodespec"
)

func TestParseMount(t *testing.T) {
	for line, want := range map[string]hierarchy{
		"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu": {mountPoint: "/sys/fs/cgroup/cpu"},
		"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw":        {mountPoint: "/sys/fs/cgroup/unified"},
		"30 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate":       {mountPoint: "/sys/fs/cgroup", unified: true},
		"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755":           {},
		"50 23 0:29 / /run/other/cpu rw,relatime - cgroup cgroup rw,cpu":              {},
		"51 23 0:29 / /sys/fs/cgroup/a/b rw,relatime - cgroup cgroup rw,cpu":          {},
		"not a line of mountinfo": {},
		"":                        {},
	} {
		got, ok := parseMount(line)
		if got != want || ok != (want != hierarchy{}) {
			t.Errorf("%q: %+v, %v", line, got, ok)
		}
	}
}

// cgroupSpec is the spec of a node that uses the mounted cgroups, under a root that
// nothing else uses.
func cgroupSpec(t *testing.T, data, name string) (*nodespec.NodeSpec, []hierarchy) {
	t.Helper()
	hierarchies, err := mountedHierarchies()
	if err != nil {
		t.Skipf("needs cgroups: %v", err)
	}
	spec := newSpec(t, data, name, "sandkube0")
	spec.Node.Cgroup = nodespec.Cgroup{}
	spec.Nodes[0].CgroupRoot = fmt.Sprintf("/sandkube-test-%d/%s/node-1", os.Getpid(), name)
	return spec, hierarchies
}

func makeAll(t *testing.T, spec *nodespec.NodeSpec, hierarchies []hierarchy) {
	t.Helper()
	journal, err := openJournal(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(makeCgroups(journal, hierarchies, spec.Nodes[0].CgroupRoot), journal.close()); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestCgroupsComeAndGo(t *testing.T) {
	spec, hierarchies := cgroupSpec(t, t.TempDir(), "default")
	for range 2 {
		makeAll(t, spec, hierarchies)
	}
	for _, hierarchy := range hierarchies {
		// What runc makes below, and leaves when it is killed.
		if err := os.MkdirAll(filepath.Join(hierarchy.mountPoint, spec.Nodes[0].CgroupRoot, "kubepods", "pod1", "c1"), 0o755); err != nil {
			t.Error(err)
		}
	}
	restore(t, spec)
	for _, hierarchy := range hierarchies {
		if top := filepath.Join(hierarchy.mountPoint, fmt.Sprintf("sandkube-test-%d", os.Getpid())); exists(top) {
			t.Errorf("%s is left", top)
		}
	}
}

func TestUpperCgroupsStayForOtherClusters(t *testing.T) {
	// The third has another data directory: nothing but its cgroup tells of it.
	data := t.TempDir()
	first, hierarchies := cgroupSpec(t, data, "first")
	second, _ := cgroupSpec(t, data, "second")
	third, _ := cgroupSpec(t, t.TempDir(), "third")
	top := filepath.Join(hierarchies[0].mountPoint, fmt.Sprintf("sandkube-test-%d", os.Getpid()))
	for _, spec := range []*nodespec.NodeSpec{first, second, third} {
		makeAll(t, spec, hierarchies)
	}
	restore(t, first)
	restore(t, second)
	if exists(filepath.Join(top, "first")) || exists(filepath.Join(top, "second")) || !exists(filepath.Join(top, "third", "node-1")) {
		t.Error("the cgroups of the first and second are left, or that of the third is gone")
	}
	restore(t, third)
	for _, hierarchy := range hierarchies {
		// The third has not made the top, so it leaves it.
		if err := removeTree(filepath.Join(hierarchy.mountPoint, filepath.Base(top))); err != nil {
			t.Error(err)
		}
	}
}

func TestACgroupInUseIsReportedAndStaysOnRecord(t *testing.T) {
	spec, hierarchies := cgroupSpec(t, t.TempDir(), "default")
	hierarchies = hierarchies[:1]
	makeAll(t, spec, hierarchies)
	cgroup := filepath.Join(hierarchies[0].mountPoint, spec.Nodes[0].CgroupRoot, "kubepods")
	if err := os.Mkdir(cgroup, 0o755); err != nil {
		t.Fatal(err)
	}
	resident := exec.CommandContext(t.Context(), "sleep", "600")
	if err := resident.Start(); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(resident.Process.Pid)
	if err := os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte(pid), 0); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), spec); !inUse(err) || !strings.Contains(err.Error(), "the processes "+pid) {
		t.Errorf("error %v, want one that names the process %s", err, pid)
	}
	if !exists(spec.HostRecord()) {
		t.Error("the record is gone")
	}
	if err := resident.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = resident.Wait()
	restore(t, spec)
	top := filepath.Join(hierarchies[0].mountPoint, fmt.Sprintf("sandkube-test-%d", os.Getpid()))
	if exists(top) || exists(spec.HostRecord()) {
		t.Error("a cgroup or the record is left")
	}
}
