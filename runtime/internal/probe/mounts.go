package probe

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

func mountFacts() []fact {
	return []fact{
		{"mount.tmpfs", tryTmpfs},
		{"mount.bind", tryBind},
		{"mount.proc", tryProc},
		{"procfs.root-inode", tryProcRootInode},
		{"mount.propagation-private", tryPropagationPrivate},
		{"mount.propagation-shared", tryPropagationShared},
		{"mount.bind-over-proc-sys", tryBindOverProcSys},
		{"mount.tmpfs-inode-options", tryTmpfsInodeOptions},
	}
}

// makeMountsPrivate cuts a new mount namespace off from the one it was copied from.
// Where the kernel refuses, that is fine as long as no mount is shared.
func makeMountsPrivate() error {
	refused := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if refused == nil {
		return nil
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("make all mounts private: %w", refused)
	}
	if bytes.Contains(mounts, []byte(" shared:")) {
		return fmt.Errorf("make shared mounts private: %w", refused)
	}
	return nil
}

// unmount drops a mount that a trial made; what is still busy goes with the namespace.
func unmount(path string) {
	_ = unix.Unmount(path, unix.MNT_DETACH)
}

// leave writes a file and reads it back.
func leave(path, content string) error {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return err
	}
	read, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(read) != content {
		return fmt.Errorf("%s reads %q after writing %q", path, read, content)
	}
	return nil
}

func tryTmpfs(t *trial) Result {
	place, err := t.place("tmpfs")
	if err != nil {
		return no(err, "make a mount point")
	}
	if err := unix.Mount("tmpfs", place, "tmpfs", 0, "mode=0755"); err != nil {
		return no(err, "mount a tmpfs")
	}
	defer unmount(place)
	if err := leave(filepath.Join(place, "file"), "content"); err != nil {
		return no(err, "write a file on a tmpfs")
	}
	return yes("a tmpfs was mounted and holds a file")
}

func tryBind(t *trial) Result {
	source, err := t.place("bind-source")
	if err != nil {
		return no(err, "make a directory")
	}
	target, err := t.place("bind-target")
	if err != nil {
		return no(err, "make a mount point")
	}
	if err := leave(filepath.Join(source, "file"), "content"); err != nil {
		return no(err, "write a file")
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return no(err, "bind a directory")
	}
	defer unmount(target)
	if _, err := os.Stat(filepath.Join(target, "file")); err != nil {
		return no(err, "see a file through a bound directory")
	}
	return yes("a directory was bound over another")
}

// withProc mounts a new procfs for the time of fn.
func withProc(t *trial, fn func(root string) Result) Result {
	place, err := t.place("proc")
	if err != nil {
		return no(err, "make a mount point")
	}
	if err := unix.Mount("proc", place, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return no(err, "mount a procfs in a new pid namespace")
	}
	defer unmount(place)
	return fn(place)
}

func tryProc(t *trial) Result {
	return withProc(t, func(root string) Result {
		self, err := os.Readlink(filepath.Join(root, "self"))
		if err != nil {
			return no(err, "read a new procfs")
		}
		if self != "1" {
			return no(nil, "the first process of a pid namespace is %s in its procfs", self)
		}
		return yes("a procfs was mounted in a new pid namespace")
	})
}

// tryProcRootInode looks for what runc 1.2 and later demand of a procfs: that its root
// has inode 1. gVisor before 2025 numbers it otherwise.
func tryProcRootInode(t *trial) Result {
	return withProc(t, func(root string) Result {
		var stat unix.Stat_t
		if err := unix.Stat(root, &stat); err != nil {
			return no(err, "stat the root of a new procfs")
		}
		value := strconv.FormatUint(stat.Ino, 10)
		if stat.Ino != 1 {
			return no(nil, "the root of a new procfs has inode %s, not 1", value).withValue(value)
		}
		return yes("the root of a new procfs has inode 1").withValue(value)
	})
}

func tryPropagationPrivate(*trial) Result {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return no(err, "make all mounts private")
	}
	return yes("all mounts of a new namespace were made private")
}

func tryPropagationShared(*trial) Result {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return no(err, "make all mounts shared")
	}
	defer func() { _ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }()
	mounts, err := readMounts()
	if err != nil {
		return no(err, "read the mounts")
	}
	if root := mountAt(mounts, "/"); root == nil || !root.shared {
		return no(nil, "made all mounts shared, but / is not shared")
	}
	return yes("all mounts of a new namespace were made shared")
}

func tryBindOverProcSys(t *trial) Result {
	source, err := t.place("proc-sys")
	if err != nil {
		return no(err, "make a directory")
	}
	const target = "/proc/sys/kernel"
	if err := leave(filepath.Join(source, "stand-in"), "content"); err != nil {
		return no(err, "write a file")
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return no(err, "bind a directory over %s", target)
	}
	defer unmount(target)
	if _, err := os.Stat(filepath.Join(target, "stand-in")); err != nil {
		return no(err, "see a file through a directory bound over %s", target)
	}
	return yes("a directory was bound over %s", target)
}

// tryTmpfsInodeOptions mounts the tmpfs that runc puts over a masked directory.
func tryTmpfsInodeOptions(t *trial) Result {
	const options = "nr_blocks=1,nr_inodes=1"
	place, err := t.place("masked")
	if err != nil {
		return no(err, "make a mount point")
	}
	if err := unix.Mount("tmpfs", place, "tmpfs", unix.MS_RDONLY, options); err != nil {
		return no(err, "mount a tmpfs with %s", options)
	}
	unmount(place)
	return yes("a tmpfs was mounted with %s", options)
}
