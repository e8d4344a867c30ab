package probe

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func procfsFacts() []fact {
	facts := []fact{{"device.kmsg", tryKmsg}}
	for _, name := range []string{
		"kernel/panic",
		"kernel/panic_on_oops",
		"kernel/keys/root_maxkeys",
		"kernel/keys/root_maxbytes",
		"kernel/cap_last_cap",
		"kernel/shm_rmid_forced",
		"vm/overcommit_memory",
		"vm/panic_on_oom",
	} {
		facts = append(facts, procSysFact(name))
	}
	return facts
}

// procSysFact reads a kernel parameter, named as below /proc/sys.
func procSysFact(name string) fact {
	path := filepath.Join("/proc/sys", name)
	return fact{"proc-sys." + name, func(*trial) Result {
		content, err := os.ReadFile(path)
		if err != nil {
			return no(err, "read a kernel parameter")
		}
		return yes("read %s", path).withValue(string(content))
	}}
}

func tryKmsg(*trial) Result {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return no(err, "open /dev/kmsg")
	}
	unix.Close(fd)
	return yes("opened /dev/kmsg")
}
