package nodeinit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSysctlsAreStandIns(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.spec.Node.StandIns.Sysctls = map[string]string{
			"kernel/panic":             "10",
			"kernel/keys/root_maxkeys": "1000000",
			"kernel/not/there/yet":     "7",
			"vm/overcommit_memory":     "1",
		}
		real, err := os.OpenRoot("/proc/sys")
		must(t, err)
		original := func(name string) string {
			content, err := real.ReadFile(name)
			must(t, err)
			return string(content)
		}
		panicBefore, maximum := original("kernel/panic"), original("kernel/pid_max")
		scene.prepare(t)
		for name, value := range scene.spec.Node.StandIns.Sysctls {
			if got := read(t, filepath.Join(procSys, name)); got != value+"\n" {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
		if got := read(t, "/proc/sys/kernel/pid_max"); got != maximum {
			t.Errorf("the copy of kernel/pid_max is %q, want %q", got, maximum)
		}
		must(t, os.WriteFile("/proc/sys/kernel/panic", []byte("11"), 0))
		if got := original("kernel/panic"); got != panicBefore {
			t.Errorf("a write by the kubelet has changed the sandbox's kernel.panic from %q to %q", panicBefore, got)
		}
		if first, second := read(t, "/proc/sys/kernel/random/uuid"), read(t, "/proc/sys/kernel/random/uuid"); first == second {
			t.Error("kernel/random/uuid is always the same")
		}
		if mounts := mountsAt(t, "/proc/sys/net"); len(mounts) != 0 {
			t.Errorf("/proc/sys/net is not the real one: %v", mounts)
		}
	})
}

func TestSettingsOfNetworkNamespacesHaveNoStandIn(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.spec.Node.StandIns.Sysctls = map[string]string{"net/ipv4/ip_forward": "1"}
		err := Prepare(scene.spec, func(error) {})
		if err == nil || !strings.Contains(err.Error(), "/proc/sys/net/ipv4/ip_forward") {
			t.Errorf("error is %v", err)
		}
	})
}

func TestKmsgIsEmpty(t *testing.T) {
	for name, present := range map[string]bool{"where there is one": true, "where there is none": false} {
		t.Run(name, func(t *testing.T) {
			inNode(t, func(t *testing.T, scene *scene) {
				devices := makeDevices(t, present)
				scene.spec.Node.StandIns.Kmsg = true
				scene.prepare(t)
				if got := read(t, kmsg); got != "" {
					t.Errorf("%s holds %q", kmsg, got)
				}
				if info, err := os.Stat("/dev/null"); err != nil || info.Mode()&os.ModeCharDevice == 0 {
					t.Errorf("/dev/null is %v (%v)", info, err)
				}
				must(t, os.WriteFile("/dev/null", []byte("x"), 0))
				if !exists("/dev/shm/segment") || !exists("/dev/fd") {
					t.Error("the devices are not complete")
				}
				if _, err := devices.Stat("kmsg"); (err == nil) != present {
					t.Errorf("the sandbox's own /dev/kmsg: %v", err)
				}
			})
		})
	}
}

// makeDevices replaces /dev by one with few devices.
func makeDevices(t *testing.T, withKmsg bool) *os.Root {
	t.Helper()
	must(t, unix.Mount("tmpfs", "/dev", "tmpfs", 0, "mode=0755"))
	must(t, unix.Mknod("/dev/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(t, os.Mkdir("/dev/shm", 0o1777))
	must(t, unix.Mount("tmpfs", "/dev/shm", "tmpfs", 0, ""))
	fill(t, "/dev/shm", "segment")
	must(t, os.Symlink("/proc/self/fd", "/dev/fd"))
	if withKmsg {
		must(t, os.WriteFile(kmsg, []byte("messages"), 0o200))
	}
	devices, err := os.OpenRoot("/dev")
	must(t, err)
	return devices
}

func TestControllersAreMountedEachAlone(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		// Whatever the kernel offers, cgroups of version 1 must not be in use by version 2.
		var mountable []string
		place := t.TempDir()
		for _, controller := range []string{"cpu", "cpuacct", "cpuset", "devices", "memory", "pids"} {
			if unix.Mount("cgroup", place, "cgroup", 0, controller) == nil {
				must(t, unix.Unmount(place, 0))
				mountable = append(mountable, controller)
			}
		}
		if len(mountable) == 0 {
			t.Skip("this kernel mounts no controller of version 1 on its own")
		}
		scene.spec.Node.Cgroup.MountControllers = mountable
		cgroup := &scene.spec.Self.CgroupRoot
		*cgroup = "/sandkube-test-" + filepath.Base(filepath.Dir(place)) + "/default/node-1"
		scene.prepare(t)
		defer removeCgroups(t, mountable, *cgroup)
		for _, controller := range mountable {
			hierarchy := filepath.Join(cgroupRoot, controller)
			if mounts := mountsAt(t, hierarchy); len(mounts) == 0 || !strings.Contains(mounts[len(mounts)-1], " - cgroup ") {
				t.Errorf("%s: %v", hierarchy, mounts)
			}
			if !exists(filepath.Join(hierarchy, *cgroup, "cgroup.procs")) {
				t.Errorf("%s has no cgroup %s", controller, *cgroup)
			}
			if controller == "cpuset" {
				for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
					got := read(t, filepath.Join(hierarchy, *cgroup, file))
					if want := read(t, filepath.Join(hierarchy, file)); got != want {
						t.Errorf("%s is %q, want %q", file, got, want)
					}
				}
			}
		}
	})
}

func removeCgroups(t *testing.T, controllers []string, path string) {
	t.Helper()
	for _, controller := range controllers {
		for directory := path; directory != "/"; directory = filepath.Dir(directory) {
			if err := unix.Rmdir(filepath.Join(cgroupRoot, controller, directory)); err != nil {
				t.Error(err)
			}
		}
	}
}
