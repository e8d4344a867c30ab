package nodeinit

import "golang.org/x/sys/unix"

// mountProc replaces the sandbox's procfs, which numbers processes as the sandbox does.
func (*preparation) mountProc() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return mountError("mount a procfs at", "/proc", err)
	}
	return nil
}
