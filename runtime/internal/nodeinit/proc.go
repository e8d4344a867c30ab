package nodeinit

import (
	"os"

	"golang.org/x/sys/unix"
)

// mountProc replaces the sandbox's procfs, which numbers processes as the sandbox does.
func (*preparation) mountProc() error {
	return mountProcAt("/proc")
}

// mountWholeProc mounts a procfs that no stand-in covers. A pod with a user namespace
// of its own may mount one only where it sees a whole one already
// (https://man7.org/linux/man-pages/man7/mount_namespaces.7.html).
func (p *preparation) mountWholeProc() error {
	place := p.spec.NodePath("standins", "proc")
	if err := os.MkdirAll(place, 0o700); err != nil {
		return err
	}
	return mountProcAt(place)
}

func mountProcAt(path string) error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", path, "proc", flags, ""); err != nil {
		return mountError("mount a procfs at", path, err)
	}
	return nil
}
