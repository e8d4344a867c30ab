package cadvisor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
)

// writeTree writes files below a directory; keys are paths.
func writeTree(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUsageOfEachHierarchy(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  usage
	}{
		"version 1": {
			files: map[string]string{
				"cpuacct/pod/cpuacct.usage":        "5000\n",
				"memory/pod/memory.usage_in_bytes": "1000\n",
				"memory/pod/memory.limit_in_bytes": "9223372036854771712\n",
				"memory/pod/memory.stat":           "total_rss 300\ntotal_inactive_file 400\n",
				"pids/pod/pids.current":            "3\n",
			},
			want: usage{cpuNanoseconds: 5000, memoryBytes: 1000, memoryLimitBytes: 9223372036854771712, rssBytes: 300, workingSetBytes: 600, processes: 3},
		},
		"gVisor, without memory.stat": {
			files: map[string]string{
				"cpuacct/pod/cpuacct.usage":        "5000\n",
				"memory/pod/memory.usage_in_bytes": "1000\n",
			},
			want: usage{cpuNanoseconds: 5000, memoryBytes: 1000, rssBytes: 1000, workingSetBytes: 1000},
		},
		"version 2": {
			files: map[string]string{
				"cgroup.controllers": "cpu memory pids\n",
				"pod/cpu.stat":       "usage_usec 7\nuser_usec 5\n",
				"pod/memory.current": "1000\n",
				"pod/memory.max":     "max\n",
				"pod/memory.stat":    "anon 250\ninactive_file 100\n",
			},
			want: usage{cpuNanoseconds: 7000, memoryBytes: 1000, memoryLimitBytes: 1<<64 - 1, rssBytes: 250, workingSetBytes: 900},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			writeTree(t, root, test.files)
			got, err := findHierarchy(root).read("/pod")
			if err != nil {
				t.Fatal(err)
			}
			got.created = time.Time{}
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestContainerInfoV2(t *testing.T) {
	root := t.TempDir()
	writeTree(t, root, map[string]string{
		"cpuacct/cpuacct.usage":             "1\n",
		"cpuacct/pods/cpuacct.usage":        "1\n",
		"cpuacct/pods/one/cpuacct.usage":    "1\n",
		"memory/pods/memory.usage_in_bytes": "4096\n",
	})
	i := New(Directories{}, nil)
	i.cgroups = findHierarchy(root)

	all, err := i.ContainerInfoV2("/", cadvisorapiv2.RequestOptions{Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"/", "/pods", "/pods/one"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if got := all["/pods"].Stats[0].Memory.Usage; got != 4096 {
		t.Errorf("memory usage is %d, want 4096", got)
	}
	if _, err := i.ContainerInfoV2("/absent", cadvisorapiv2.RequestOptions{}); err == nil {
		t.Error("a cgroup that does not exist gives no error")
	}
}

func TestRateNeedsTwoDistantReadings(t *testing.T) {
	i := New(Directories{}, nil)
	begin := time.Now()
	if _, known := i.rate("/a", 1_000_000_000, begin); known {
		t.Error("a rate is known after one reading")
	}
	if _, known := i.rate("/a", 1_500_000_000, begin.Add(minimumInterval/2)); known {
		t.Error("a rate is told from readings that are too close")
	}
	rate, known := i.rate("/a", 2_000_000_000, begin.Add(2*time.Second))
	if !known || rate != 500_000_000 {
		t.Errorf("got %d nanocores (known: %t), want 500000000", rate, known)
	}
	if _, known := i.rate("/a", 5, begin.Add(4*time.Second)); known {
		t.Error("a rate survives a counter that starts anew")
	}
}

func TestMachineAndFileSystem(t *testing.T) {
	directory := t.TempDir()
	i := New(Directories{Root: directory, Images: directory, Container: directory}, nil)
	machine, err := i.MachineInfo()
	if err != nil {
		t.Fatal(err)
	}
	if machine.NumCores < 1 || machine.MemoryCapacity == 0 || machine.MachineID == "" {
		t.Errorf("the machine is %+v", machine)
	}
	info, err := i.RootFsInfo()
	if err != nil {
		t.Fatal(err)
	}
	if info.Capacity == 0 || info.Available > info.Capacity {
		t.Errorf("the file system is %+v", info)
	}
	if _, err := i.GetDirFsInfo(filepath.Join(directory, "absent")); err == nil {
		t.Error("a path that does not exist gives no error")
	}
}
