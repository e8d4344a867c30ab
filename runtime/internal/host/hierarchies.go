package host

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const cgroupMountPoint = "/sys/fs/cgroup"

// hierarchy is a writable cgroup hierarchy.
type hierarchy struct {
	mountPoint string
	// unified is set for cgroup version 2 when it is the one that has the controllers.
	unified bool
}

// mountedHierarchies returns the cgroup hierarchies that are mounted at
// /sys/fs/cgroup or right below it. With version 1 these include ones without a
// controller (name=systemd, or an extra version 2): runc makes cgroups there too.
func mountedHierarchies() ([]hierarchy, error) {
	file, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("mounted cgroups: %w", err)
	}
	defer file.Close()
	var found []hierarchy
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if hierarchy, ok := parseMount(lines.Text()); ok && !slices.Contains(found, hierarchy) {
			found = append(found, hierarchy)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("mounted cgroups: %w", err)
	}
	found = slices.DeleteFunc(found, func(h hierarchy) bool { return unix.Access(h.mountPoint, unix.W_OK) != nil })
	if len(found) == 0 {
		return nil, fmt.Errorf("no writable cgroup hierarchy is mounted at %s", cgroupMountPoint)
	}
	return found, nil
}

// parseMount reads a line of mountinfo (proc(5)): the mount point is its fifth
// field, the file system type the first after the separator.
func parseMount(line string) (hierarchy, bool) {
	before, after, ok := strings.Cut(line, " - ")
	fields := strings.Fields(before)
	kind, _, _ := strings.Cut(after, " ")
	if !ok || len(fields) < 5 || (kind != "cgroup" && kind != "cgroup2") {
		return hierarchy{}, false
	}
	mountPoint := fields[4]
	if mountPoint != cgroupMountPoint && filepath.Dir(mountPoint) != cgroupMountPoint {
		return hierarchy{}, false
	}
	return hierarchy{mountPoint: mountPoint, unified: kind == "cgroup2" && mountPoint == cgroupMountPoint}, true
}
