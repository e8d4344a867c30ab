package sysctl

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Bind binds the stand-ins of a bundle over the settings in a procfs, in the calling process's
// mount namespace. It belongs into the container's, before runc makes /proc/sys read-only.
func Bind(bundle, proc string) error {
	var info unix.Statfs_t
	if err := unix.Statfs(proc, &info); err != nil {
		return fmt.Errorf("%s: %w", proc, err)
	}
	if info.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("%s is no procfs", proc)
	}
	root, settings := filepath.Join(bundle, directory), filepath.Join(proc, "sys")
	places, err := places(root, settings)
	if err != nil {
		return err
	}
	for _, place := range places {
		if err := bindDirectory(filepath.Join(root, place), filepath.Join(settings, place)); err != nil {
			return fmt.Errorf("stand-ins of %s: %w", place, err)
		}
	}
	return nil
}

// places lists the topmost directories below root that hold stand-ins, such as "kernel", or a
// directory that the settings lack, such as "fs" for fs/mqueue/msg_max in gVisor.
func places(root, settings string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if !entry.IsDir() || !isDirectory(filepath.Join(settings, relative, entry.Name())) {
				found = append(found, relative)
				return fs.SkipDir
			}
		}
		return nil
	})
	return found, err
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// bindDirectory completes a directory of stand-ins with what the real one has, and binds it
// over that.
func bindDirectory(standIns, real string) error {
	if err := complete(standIns, real); err != nil {
		return err
	}
	return bindReadOnly(standIns, real, unix.MS_REC)
}

// complete binds what a real directory has into a directory of stand-ins, and into the
// directories in it that both have.
func complete(standIns, real string) error {
	entries, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		source, target := filepath.Join(real, entry.Name()), filepath.Join(standIns, entry.Name())
		if entry.IsDir() && isDirectory(target) {
			if err := complete(target, source); err != nil {
				return err
			}
			continue
		}
		if err := makeMountPoint(target, entry.IsDir()); err != nil {
			return err
		}
		if err := bindReadOnly(source, target, 0); err != nil {
			return err
		}
	}
	return nil
}

// bindReadOnly binds without a way to write: a stand-in takes no other value, and for the real
// settings runc only makes read-only what is mounted at /proc/sys itself, not what lies below.
func bindReadOnly(source, target string, recursive uintptr) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|recursive, ""); err != nil {
		return fmt.Errorf("bind %s over %s: %w", source, target, err)
	}
	const flags = unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("", target, "", flags, ""); err != nil {
		return fmt.Errorf("make %s read-only: %w", target, err)
	}
	return nil
}

// makeMountPoint makes an empty file or directory unless there is one.
func makeMountPoint(path string, isDirectory bool) error {
	if isDirectory {
		return os.MkdirAll(path, 0o755)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	return file.Close()
}
