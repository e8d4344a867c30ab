// Package nodeinit prepares what a node's processes see: the mount namespace in
// which the kubelet, containerd and all pods live.
//
// Nothing of it reaches the sandbox outside. The kubelet and containerd insist on
// fixed paths (/run/containerd, /run/netns, /var/lib/kubelet, /var/log/pods, ...):
// they are mounted here, over the sandbox's own. Where the directory for a mount is
// missing, the one above it is replaced by a replica (see replica), so that even the
// empty mount point does not appear outside. Only mount(2) is used: old kernels of
// sandboxes have no newer way.
package nodeinit

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/nodespec"
)

// Service is the name under which the preparation is reported.
const Service = "mounts"

// Warn is told about what could not be had but is not needed by every pod.
type Warn func(error)

// step is one part of the preparation. Its errors name a system call and a path.
type step struct {
	name string
	run  func(*preparation) error
}

// steps are in order: later mounts lie inside of earlier ones.
var steps = []step{
	{"cut the mounts off from the sandbox", (*preparation).cutOff},
	{"mount a procfs of the node's processes", (*preparation).mountProc},
	{"forget the pods of an earlier run", (*preparation).forgetPods},
	{"mount the fixed directories", (*preparation).mountFixedDirectories},
	{"mount the tmpfs for snapshots", (*preparation).mountSnapshots},
	{"mount the cgroup controllers", (*preparation).mountCgroups},
	{"put stand-ins over /proc/sys", (*preparation).mountSysctls},
	{"mount a procfs without stand-ins", (*preparation).mountWholeProc},
	{"put a stand-in at /dev/kmsg", (*preparation).mountKmsg},
	{"share mounts between the node and its pods", (*preparation).share},
}

// preparation is the state of Prepare.
type preparation struct {
	spec *nodespec.NodeView
	warn Warn
	// replicated holds the directories that have been replaced by a replica.
	replicated map[string]bool
}

// Prepare mounts everything. The process must be the first one of new mount and pid
// namespaces, and is in the root directory afterwards.
func Prepare(spec *nodespec.NodeView, warn Warn) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("this process is number %d of its pid namespace, not the first one: its mounts would be the sandbox's", os.Getpid())
	}
	p := &preparation{spec: spec, warn: warn, replicated: make(map[string]bool)}
	for _, step := range steps {
		if err := step.run(p); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return os.Chdir("/")
}

// Timed calls Prepare and returns how long it took.
func Timed(spec *nodespec.NodeView, warn Warn) (time.Duration, error) {
	begun := time.Now()
	err := Prepare(spec, warn)
	return time.Since(begun), err
}

// mountError names what a mount(2) was to do.
func mountError(what, path string, err error) error {
	return fmt.Errorf("%s %s: %w", what, path, err)
}

func mountTmpfs(path, options string) error {
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, options); err != nil {
		return mountError("mount a tmpfs at", path, err)
	}
	return nil
}

// bind makes source, with the mounts below it, appear at target too.
func bind(source, target string) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return mountError("bind "+source+" to", target, err)
	}
	return nil
}
