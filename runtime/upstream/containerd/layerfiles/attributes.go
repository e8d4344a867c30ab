package layerfiles

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attributes are a file's owner and mode.
type attributes struct {
	uid, gid int
	mode     uint32
}

func attributesOf(fd int) (attributes, error) {
	var found unix.Stat_t
	if err := unix.Fstat(fd, &found); err != nil {
		return attributes{}, fmt.Errorf("look at it: %w", err)
	}
	return attributes{uid: int(found.Uid), gid: int(found.Gid), mode: found.Mode & 0o7777}, nil
}

// set sets the owner and then, since that can change it, the mode.
func (a attributes) set(fd int) error {
	if err := unix.Fchown(fd, a.uid, a.gid); err != nil {
		return fmt.Errorf("owner %d:%d: %w", a.uid, a.gid, err)
	}
	if err := unix.Fchmod(fd, a.mode); err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	return nil
}

func setTimes(fd int, accessed, modified time.Time) error {
	times := [2]unix.Timespec{unix.NsecToTimespec(accessed.UnixNano()), unix.NsecToTimespec(modified.UnixNano())}
	// Without a path, utimensat(2) is about the descriptor.
	if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("times: %w", errno)
	}
	return nil
}

func write(fd int, bytes []byte) error {
	for len(bytes) > 0 {
		n, err := unix.Write(fd, bytes)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		bytes = bytes[n:]
	}
	return nil
}
