package forward

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// readNow and writeNow are for descriptors that do not block, and keep the processor
// while they run. The usual calls let go of it, because a call may block; with
// hundreds of busy connections the runtime then starts a thread for each, as calls
// take long in gVisor, and threads are costly there.

func readNow(descriptor uintptr, buffer []byte) (int, error) {
	return now(unix.SYS_READ, descriptor, buffer)
}

func writeNow(descriptor uintptr, data []byte) (int, error) {
	return now(unix.SYS_WRITE, descriptor, data)
}

// now calls until the call is not interrupted.
func now(call, descriptor uintptr, data []byte) (int, error) {
	for {
		count, _, errno := unix.RawSyscall(call, descriptor, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
		switch errno {
		case 0:
			return int(count), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
