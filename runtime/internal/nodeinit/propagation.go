package nodeinit

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// makePrivate keeps the mounts of this namespace from appearing in the one that it
// was copied from. A kernel without propagation refuses, which is fine as long as it
// shows no shared mount.
func (*preparation) makePrivate() error {
	refused := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if refused == nil {
		return nil
	}
	const path = "/proc/self/mountinfo"
	mounts, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("mount / as private: %w; are there shared mounts: %w", refused, err)
	}
	if bytes.Contains(mounts, []byte(" shared:")) {
		return fmt.Errorf("mount / as private, with shared mounts in %s: %w", path, refused)
	}
	return nil
}

// share lets mounts that are made from now on spread between the node and its pods,
// among this namespace's copies only. Volumes with mountPropagation HostToContainer
// or Bidirectional need it; containerd refuses them on mounts that are not shared.
func (p *preparation) share() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		p.warn(fmt.Errorf("volumes with mount propagation will not work: mount / as shared: %w", err))
	}
	return nil
}
