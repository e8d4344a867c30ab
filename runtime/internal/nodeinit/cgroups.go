package nodeinit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const cgroupRoot = "/sys/fs/cgroup"

// mountCgroups mounts version 1 controllers, each alone (gVisor takes no two in one
// mount), and makes the node's cgroup in each. Without controllers to mount, the
// sandbox's own hierarchies are used as they are.
func (p *preparation) mountCgroups() error {
	controllers := p.spec.Node.Cgroup.MountControllers
	if len(controllers) == 0 {
		return nil
	}
	root, err := p.ensureDirectory(cgroupRoot)
	if err != nil {
		return err
	}
	if err := mountTmpfs(root, "mode=0755"); err != nil {
		return err
	}
	for _, controller := range controllers {
		hierarchy := filepath.Join(root, controller)
		if err := os.Mkdir(hierarchy, 0o755); err != nil {
			return err
		}
		const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
		if err := unix.Mount("cgroup", hierarchy, "cgroup", flags, controller); err != nil {
			return mountError("mount the cgroup controller "+controller+" at", hierarchy, err)
		}
		if err := makeCgroup(hierarchy, p.spec.Self.CgroupRoot); err != nil {
			return err
		}
	}
	return nil
}

// makeCgroup makes a cgroup and the ones above it. A cpuset takes no process until it
// has processors and memory nodes (cpuset(7)), so these are copied from above.
func makeCgroup(hierarchy, path string) error {
	directory := hierarchy
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		parent := directory
		directory = filepath.Join(directory, name)
		if err := os.Mkdir(directory, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if err := inherit(filepath.Join(parent, file), filepath.Join(directory, file)); err != nil {
				return err
			}
		}
	}
	return nil
}

// inherit copies a cgroup's file from its parent when it is there and empty.
func inherit(from, to string) error {
	present, err := os.ReadFile(to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(present)) != "" {
		return nil
	}
	inherited, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, inherited, 0); err != nil {
		return fmt.Errorf("copy %s from the cgroup above: %w", to, err)
	}
	return nil
}
