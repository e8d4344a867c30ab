package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroupRoot = "/sys/fs/cgroup"

// wantedControllers are the cgroup v1 controllers that runc and kubelet use.
func wantedControllers() []string {
	return []string{"cpu", "cpuacct", "cpuset", "devices", "memory", "pids"}
}

// unifiedControllers are the controllers that make a cgroup2 usable for kubelet.
func unifiedControllers() []string { return []string{"cpu", "memory", "pids"} }

// cgroupReadings are the facts about cgroups that change nothing.
func cgroupReadings() []fact {
	return []fact{{"cgroup.mounted", tryCgroupMounted}}
}

// cgroupFacts are tried in a mount namespace of their own. cgroup2 comes first: a
// controller that a trial mounts as v1 is missing from cgroup2 meanwhile.
func cgroupFacts() []fact {
	return []fact{
		{"cgroup.v2", tryCgroupV2},
		{"cgroup.v1-mountable", tryCgroupV1Mountable},
		{"cgroup.memory-enforced", tryMemoryEnforced},
	}
}

func tryCgroupMounted(*trial) Result {
	mounts, err := readMounts()
	if err != nil {
		return no(err, "find the cgroup mounts").withValue("none")
	}
	var alone []string
	for controller, point := range controllersMountedAlone(mounts) {
		if unix.Access(point, unix.W_OK) == nil {
			alone = append(alone, controller)
		}
	}
	if len(alone) > 0 {
		slices.Sort(alone)
		return yes("v1 controllers are mounted below %s", cgroupRoot).withValue(strings.Join(alone, ","))
	}
	if root := mountAt(mounts, cgroupRoot); root != nil && root.filesystem == "cgroup2" {
		if err := checkUnified(cgroupRoot); err != nil {
			return no(err, "use the cgroup2 at %s", cgroupRoot).withValue("none")
		}
		return yes("a cgroup2 is mounted at %s", cgroupRoot).withValue("v2")
	}
	return no(nil, "no writable controller is mounted below %s", cgroupRoot).withValue("none")
}

// controllersMountedAlone maps each v1 controller that has a hierarchy of its own below
// /sys/fs/cgroup to where it is mounted.
func controllersMountedAlone(mounts []mountEntry) map[string]string {
	alone := map[string]string{}
	for _, m := range mounts {
		if m.filesystem != "cgroup" || !strings.HasPrefix(m.point, cgroupRoot+"/") {
			continue
		}
		controllers := controllersOf(m.options)
		if len(controllers) == 1 && !strings.HasPrefix(controllers[0], "name=") {
			alone[controllers[0]] = m.point
		}
	}
	return alone
}

// controllersOf picks the controllers from a v1 mount's options; a named hierarchy
// counts as one, so that a controller beside a name is not alone.
func controllersOf(options []string) []string {
	other := []string{"rw", "ro", "noprefix", "clone_children", "xattr", "cpuset_v2_mode", "none"}
	var controllers []string
	for _, option := range options {
		if !slices.Contains(other, option) && !strings.HasPrefix(option, "release_agent=") {
			controllers = append(controllers, option)
		}
	}
	return controllers
}

// checkUnified tells why the cgroup2 mounted at root cannot be used; nil if it can.
func checkUnified(root string) error {
	content, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return err
	}
	present := strings.Fields(string(content))
	for _, controller := range unifiedControllers() {
		if !slices.Contains(present, controller) {
			return fmt.Errorf("its controllers are [%s], %s is not among them", strings.Join(present, " "), controller)
		}
	}
	return unix.Access(root, unix.W_OK)
}

func tryCgroupV2(t *trial) Result {
	mounts, err := readMounts()
	if err != nil {
		return no(err, "find the cgroup mounts")
	}
	for _, m := range mounts {
		if m.filesystem == "cgroup2" && checkUnified(m.point) == nil {
			return yes("a cgroup2 is mounted at %s", m.point)
		}
	}
	place, err := t.place("cgroup2")
	if err != nil {
		return no(err, "make a mount point")
	}
	if err := unix.Mount("cgroup2", place, "cgroup2", 0, ""); err != nil {
		return no(err, "mount a cgroup2")
	}
	defer unmount(place)
	if err := checkUnified(place); err != nil {
		return no(err, "use a cgroup2")
	}
	return yes("a cgroup2 can be mounted")
}

// tryCgroupV1Mountable mounts each controller alone and unmounts it again. Controllers
// that a cgroup2 manages are left to it: Linux would take them away from it.
func tryCgroupV1Mountable(t *trial) Result {
	mounts, err := readMounts()
	if err != nil {
		return no(err, "find the cgroup mounts")
	}
	unified := controllersInUnified(mounts)
	var mountable, refused []string
	var refusal error
	for _, controller := range wantedControllers() {
		if slices.Contains(unified, controller) {
			refused = append(refused, controller+": managed by cgroup2, not tried")
			continue
		}
		if err := mountControllerOnce(t, controller); err != nil {
			refusal = err
			refused = append(refused, fmt.Sprintf("%s: %v", controller, err))
			continue
		}
		mountable = append(mountable, controller)
	}
	value := strings.Join(mountable, ",")
	if len(refused) == 0 {
		return yes("each controller was mounted alone").withValue(value)
	}
	r := no(nil, "mount each controller alone: %s", strings.Join(refused, "; ")).withValue(value)
	r.Errno = errnoName(refusal)
	return r
}

// controllersInUnified lists what the mounted cgroup2, if any, manages.
func controllersInUnified(mounts []mountEntry) []string {
	for _, m := range mounts {
		if m.filesystem != "cgroup2" {
			continue
		}
		if content, err := os.ReadFile(filepath.Join(m.point, "cgroup.controllers")); err == nil {
			return strings.Fields(string(content))
		}
	}
	return nil
}

func mountControllerOnce(t *trial, controller string) error {
	place, err := t.place("cgroup-" + controller)
	if err != nil {
		return err
	}
	if err := mountController(controller, place); err != nil {
		return err
	}
	return unix.Unmount(place, 0)
}

// mountController mounts one v1 controller. A hierarchy that was unmounted a moment ago
// may still be on its way out, and answers EBUSY until it is gone.
func mountController(controller, place string) error {
	const attempts, pause = 5, 10 * time.Millisecond
	var err error
	for range attempts {
		err = unix.Mount("cgroup", place, "cgroup", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, controller)
		if err != unix.EBUSY {
			return err
		}
		time.Sleep(pause)
	}
	return err
}
