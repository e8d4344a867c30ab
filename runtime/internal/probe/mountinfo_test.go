package probe

import "testing"

const exampleMounts = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
28 27 0:25 / /mnt/with\040space ro,nosuid shared:2 master:3 - tmpfs none ro,size=4k
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/net_cls,net_prio rw - cgroup cgroup rw,net_cls,net_prio
34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup none rw,memory
36 27 0:33 / /mnt/with\040space rw - overlay none rw
malformed
`

func TestMountOf(t *testing.T) {
	mounts := parseMounts(exampleMounts)
	for path, want := range map[string]string{
		"/":                       "ext4",
		"/var/lib/sandkube":       "ext4",
		"/proc/1":                 "proc",
		"/mnt/with space/deep":    "overlay",
		"/mnt/with space elegant": "ext4",
	} {
		if got := mountOf(mounts, path); got == nil || got.filesystem != want {
			t.Errorf("mountOf(%q) = %+v, want one of type %s", path, got, want)
		}
	}
	if got := mountOf(nil, "/"); got != nil {
		t.Errorf("mountOf without mounts = %+v", got)
	}
	if root := mountAt(mounts, "/"); root == nil || !root.shared {
		t.Errorf("/ = %+v, want it shared", root)
	}
}

func TestControllersMountedAlone(t *testing.T) {
	got := controllersMountedAlone(parseMounts(exampleMounts))
	if len(got) != 2 || got["cpu"] != "/sys/fs/cgroup/cpu" || got["memory"] != "/sys/fs/cgroup/memory" {
		t.Errorf("controllers = %v, want cpu and memory", got)
	}
}
