package probe

import (
	"bufio"
	"bytes"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// maxSafeInteger is the largest integer that JavaScript holds exactly. File systems
// without a size of their own report more free bytes than that.
const maxSafeInteger = 1<<53 - 1

// System is what the probe reads without trying anything. Sizes are bytes, at most
// maxSafeInteger; 0 and "" mean that the sandbox does not tell.
type System struct {
	KernelRelease string `json:"kernelRelease"`
	UID           int    `json:"uid"`
	// Capabilities are the effective ones of the probe's process.
	Capabilities []string `json:"capabilities"`
	// MemoryTotalBytes is the machine's memory, or the cgroup's limit where lower.
	MemoryTotalBytes     uint64 `json:"memoryTotalBytes"`
	MemoryAvailableBytes uint64 `json:"memoryAvailableBytes"`
	CPUCount             int    `json:"cpuCount"`
	RootFilesystem       string `json:"rootFilesystem"`
	// DataFilesystem and DataFreeBytes are those of the data directory, or of its
	// nearest parent that exists.
	DataFilesystem     string  `json:"dataFilesystem"`
	DataFreeBytes      uint64  `json:"dataFreeBytes"`
	DefaultRouteMTU    *int    `json:"defaultRouteMtu"`
	DefaultRouteDevice *string `json:"defaultRouteDevice"`
	// Addresses are the IPv4 addresses of the links, without loopback and link-local ones.
	// Those of the default route's link come first.
	Addresses []string `json:"addresses"`
	BootID    string   `json:"bootId"`
}

// readSystem fills the section; data is an existing directory.
func readSystem(data string) System {
	s := System{
		KernelRelease: kernelRelease(),
		UID:           os.Getuid(),
		Capabilities:  effectiveCapabilities(),
		CPUCount:      runtime.NumCPU(),
	}
	s.MemoryTotalBytes, s.MemoryAvailableBytes = memory()
	if mounts, err := readMounts(); err == nil {
		if root := mountAt(mounts, "/"); root != nil {
			s.RootFilesystem = root.filesystem
		}
		if m := mountOf(mounts, data); m != nil {
			s.DataFilesystem = m.filesystem
		}
	}
	var statfs unix.Statfs_t
	if unix.Statfs(data, &statfs) == nil {
		s.DataFreeBytes = freeBytes(statfs)
	}
	link := defaultRouteLink()
	s.Addresses = addresses(link)
	if link != nil {
		s.DefaultRouteDevice = &link.Name
		// gVisor on the host's network stack tells no MTU.
		if link.MTU > 0 {
			s.DefaultRouteMTU = &link.MTU
		}
	}
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		s.BootID = strings.TrimSpace(string(id))
	}
	return s
}

func freeBytes(statfs unix.Statfs_t) uint64 {
	high, low := bits.Mul64(statfs.Bavail, uint64(statfs.Bsize))
	if high > 0 || low > maxSafeInteger {
		return maxSafeInteger
	}
	return low
}

func kernelRelease() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// effectiveCapabilities names the set bits of CapEff, see capabilities(7).
func effectiveCapabilities() []string {
	capabilities := []string{}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return capabilities
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		digits, found := strings.CutPrefix(lines.Text(), "CapEff:")
		if !found {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 64)
		if err != nil {
			return capabilities
		}
		for bit, name := range capabilityNames() {
			if set&(1<<bit) != 0 {
				capabilities = append(capabilities, "CAP_"+name)
			}
		}
	}
	return capabilities
}

// capabilityNames are indexed by number, see linux/capability.h.
func capabilityNames() []string {
	return strings.Fields(`
		CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
		LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER
		SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
		SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
		MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
		CHECKPOINT_RESTORE`)
}

// memory returns the total and the available bytes, bounded by the cgroup's limit.
func memory() (total, available uint64) {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		kibibytes, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "MemTotal:":
			total = kibibytes << 10
		case "MemAvailable:":
			available = kibibytes << 10
		}
	}
	limit, usage, limited := cgroupMemory()
	if !limited || limit >= total {
		return total, available
	}
	return limit, min(available, limit-min(usage, limit))
}

// cgroupMemory returns the limit and use of this process's own memory cgroup; limited
// is false when there is none or it is not visible.
func cgroupMemory() (limit, usage uint64, limited bool) {
	content, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, 0, false
	}
	for line := range strings.Lines(string(content)) {
		// "hierarchy:controllers:path", see cgroups(7).
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		var root, limitFile, usageFile string
		switch fields[1] {
		case "memory":
			root, limitFile, usageFile = filepath.Join(cgroupRoot, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"
		case "":
			root, limitFile, usageFile = cgroupRoot, "memory.max", "memory.current"
		default:
			continue
		}
		// In a container the path may name what lies outside of the mount.
		for _, group := range []string{filepath.Join(root, fields[2]), root} {
			if limit, limited = readBytes(filepath.Join(group, limitFile)); limited {
				usage, _ = readBytes(filepath.Join(group, usageFile))
				return limit, usage, true
			}
		}
	}
	return 0, 0, false
}

// readBytes reads a number from a file; false for "max" or no such file.
func readBytes(path string) (uint64, bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	number, err := strconv.ParseUint(strings.TrimSpace(string(content)), 10, 64)
	return number, err == nil
}

// defaultRouteLink is the device of the IPv4 default route; nil when there is none.
func defaultRouteLink() *netlink.LinkAttrs {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil
	}
	for _, route := range routes {
		if route.Dst != nil {
			if ones, _ := route.Dst.Mask.Size(); ones > 0 {
				continue
			}
		}
		link, err := netlink.LinkByIndex(route.LinkIndex)
		if err == nil {
			return link.Attrs()
		}
	}
	return nil
}

// addresses returns what System.Addresses is; first is the link whose addresses come first.
func addresses(first *netlink.LinkAttrs) []string {
	found := []string{}
	all, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return found
	}
	isFirst := func(address netlink.Addr) bool { return first != nil && address.LinkIndex == first.Index }
	slices.SortStableFunc(all, func(a, b netlink.Addr) int {
		switch {
		case isFirst(a) == isFirst(b):
			return 0
		case isFirst(a):
			return -1
		}
		return 1
	})
	for _, address := range all {
		if address.IPNet != nil && address.IP.IsGlobalUnicast() {
			found = append(found, address.IP.String())
		}
	}
	return found
}
