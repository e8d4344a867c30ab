package nodeinit

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"sandkube.dev/runtime/internal/containerd"
)

func TestReplicaShowsWhatWasThere(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.prepare(t)
		if got := read(t, "/run/user/note"); got != "the user's" {
			t.Errorf("the user's file holds %q", got)
		}
		if got := read(t, "/run/link"); got != "the user's" {
			t.Errorf("the user's link leads to %q", got)
		}
		if !exists("/run/volume/nested") {
			t.Error("a mount below a replicated directory is missing")
		}
		for path, want := range map[string]fs.FileMode{
			"/run":        fs.ModeDir | fs.ModeSticky | 0o775,
			"/run/user":   fs.ModeDir | 0o700,
			"/run/pid":    0o640,
			"/run/fifo":   fs.ModeNamedPipe | 0o600,
			"/run/socket": fs.ModeSocket | 0o755,
			"/run/link":   fs.ModeSymlink | 0o777,
		} {
			info, err := os.Lstat(path)
			must(t, err)
			if info.Mode() != want {
				t.Errorf("%s has mode %s, want %s", path, info.Mode(), want)
			}
		}
		must(t, os.WriteFile("/run/user/written", []byte("by the node"), 0o600))
		if _, err := scene.originals["/run"].Stat("user/written"); err != nil {
			t.Errorf("what is written to a directory of the user does not get there: %v", err)
		}
	})
}

func TestNothingNewAppearsOutside(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		before := make(map[string][]string)
		for directory, root := range scene.originals {
			before[directory] = names(t, root)
		}
		scene.prepare(t)
		must(t, os.Mkdir("/run/new", 0o755))
		for directory, root := range scene.originals {
			if after := names(t, root); strings.Join(after, " ") != strings.Join(before[directory], " ") {
				t.Errorf("%s held %v, now %v", directory, before[directory], after)
			}
		}
	})
}

func names(t *testing.T, root *os.Root) []string {
	t.Helper()
	entries, err := fs.ReadDir(root.FS(), ".")
	must(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestFixedDirectoriesAreTheClusters(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		fill(t, scene.spec.NodePath("kubelet"), "kept")
		fill(t, "/run/containerd", "of-another-containerd")
		scene.prepare(t)
		for fixed, own := range map[string]string{
			"/var/lib/kubelet":    scene.spec.NodePath("kubelet"),
			"/var/log/pods":       scene.spec.NodePath("log", "pods"),
			"/var/log/containers": scene.spec.NodePath("log", "containers"),
		} {
			fill(t, fixed, "probe")
			if !exists(own + "/probe") {
				t.Errorf("%s is not %s", fixed, own)
			}
		}
		if !exists("/var/lib/kubelet/kept") {
			t.Error("what the kubelet had before is gone")
		}
		for _, path := range []string{containerd.StateDirectory, "/run/netns", "/var/lib/cni"} {
			entries, err := os.ReadDir(path)
			must(t, err)
			if len(entries) != 0 {
				t.Errorf("%s is not empty: %v", path, entries)
			}
			var stat unix.Statfs_t
			must(t, unix.Statfs(path, &stat))
			if stat.Type != unix.TMPFS_MAGIC {
				t.Errorf("%s is not on a tmpfs", path)
			}
		}
		if _, err := scene.originals["/run"].Stat("containerd/of-another-containerd"); err != nil {
			t.Errorf("the sandbox's own /run/containerd: %v", err)
		}
	})
}

// The cluster's directory lies below a directory that is replicated.
func TestClusterDirectoryStaysTheSame(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		fill(t, scene.spec.Cluster.Directory, "logs/node.log")
		scene.prepare(t)
		must(t, os.WriteFile(scene.spec.Path("logs", "node.log"), []byte("line"), 0o600))
		content, err := scene.originals["/var/lib"].ReadFile("sandkube/default/logs/node.log")
		must(t, err)
		if string(content) != "line" {
			t.Errorf("the sandbox reads %q from a log that the node has written", content)
		}
	})
}

func TestVolumesAreSharedAndMountedOnce(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.prepare(t)
		const volume = "/var/lib/kubelet/pods/volume"
		must(t, os.MkdirAll(volume, 0o755))
		must(t, unix.Mount("tmpfs", volume, "tmpfs", 0, ""))
		fill(t, volume, "secret")
		if exists(scene.spec.NodePath("kubelet", "pods", "volume", "secret")) {
			t.Error("a volume is mounted at the other path of the kubelet's directory too")
		}
		for _, path := range []string{"/", volume} {
			mounts := mountsAt(t, path)
			if len(mounts) == 0 || !strings.Contains(mounts[len(mounts)-1], " shared:") {
				t.Errorf("%s is not shared: %v", path, mounts)
			}
		}
		if len(scene.warnings) != 0 {
			t.Errorf("warnings: %v", scene.warnings)
		}
		for _, path := range []string{containerd.StateDirectory, scene.spec.NodePath("containerd")} {
			mounts := mountsAt(t, path)
			if len(mounts) == 0 || strings.Contains(mounts[len(mounts)-1], " shared:") {
				t.Errorf("what containerd mounts in %s would spread into pods: %v", path, mounts)
			}
		}
		if left := mountsAt(t, scene.spec.NodePath("standins", "propagation")); len(left) != 0 {
			t.Errorf("a mount that was only tried is left: %v", left)
		}
	})
}

func TestProcShowsTheNodesProcesses(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.prepare(t)
		self, err := os.Readlink("/proc/self")
		must(t, err)
		if self != "1" {
			t.Errorf("this process is %s in /proc", self)
		}
	})
}

func TestSnapshotsLieOnATmpfsOfItsSize(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.spec.Node.Containerd.SnapshotTmpfsBytes = 64 << 20
		scene.prepare(t)
		var stat unix.Statfs_t
		must(t, unix.Statfs(scene.spec.SnapshotTmpfs(), &stat))
		if size := int64(stat.Blocks) * stat.Bsize; stat.Type != unix.TMPFS_MAGIC || size != 64<<20 {
			t.Errorf("file system %x of %d bytes", stat.Type, size)
		}
	})
}

func TestLeasesOfLostPodsAreForgotten(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		fill(t, scene.spec.NodePath("cni", "state"), "lock", "leases/10.42.0.2")
		scene.prepare(t)
		entries, err := os.ReadDir(scene.spec.NodePath("cni", "state"))
		must(t, err)
		if len(entries) != 0 {
			t.Errorf("left: %v", entries)
		}
	})
}

func TestErrorsNameStepPathAndReason(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		scene.spec.Node.Cgroup.MountControllers = []string{"no-such-controller"}
		err := Prepare(scene.spec, func(error) {})
		if err == nil {
			t.Fatal("a controller that does not exist was mounted")
		}
		for _, part := range []string{"mount the cgroup controllers", "no-such-controller", "/sys/fs/cgroup/no-such-controller"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q does not name %q", err, part)
			}
		}
		if errno, ok := errors.AsType[unix.Errno](err); !ok || errno == 0 {
			t.Errorf("error %q has no errno", err)
		}
	})
}

func TestPrepareRefusesToChangeTheSandbox(t *testing.T) {
	before := read(t, "/proc/self/mountinfo")
	if err := Prepare(nil, nil); err == nil {
		t.Error("the sandbox's own mounts were accepted")
	}
	if read(t, "/proc/self/mountinfo") != before {
		t.Error("the mounts have changed")
	}
}
