package nodeinit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/containerd"
)

func (*preparation) cutOff() error { return CutOff() }

// CutOff keeps the mounts of this process's namespace from appearing in the one that it
// was copied from. A kernel without propagation refuses, which is fine as long as it
// shows no shared mount.
func CutOff() error {
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
// among this namespace's copies only. containerd refuses volumes with mountPropagation
// HostToContainer or Bidirectional on mounts that are not shared.
//
// What containerd mounts for itself stays out of pods. So do volumes, where a mount
// that has spread can not be unmounted any more: one pod with HostToContainer would
// keep all other pods from ever being deleted.
func (p *preparation) share() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		p.warn(fmt.Errorf("volumes with mount propagation will not work: mount / as shared: %w", err))
		return nil
	}
	unshared := []string{p.spec.NodePath("containerd"), containerd.StateDirectory, containerd.SnapshotMount}
	if err := p.unmountSpread(); err != nil {
		p.warn(fmt.Errorf("volumes with mount propagation Bidirectional will not work below the kubelet's directory: %w", err))
		unshared = append(unshared, kubeletDirectory, networkNamespaces)
	}
	for _, path := range unshared {
		if err := unix.Mount("", path, "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return mountError("mount as private", path, err)
		}
	}
	return nil
}

// unmountSpread tries to unmount a mount that has spread. gVisor (2024 and 2026) says
// EBUSY, used or not.
func (p *preparation) unmountSpread() (err error) {
	place := p.spec.NodePath("standins", "propagation")
	original, copied := filepath.Join(place, "original"), filepath.Join(place, "copy")
	if err := os.MkdirAll(place, 0o700); err != nil {
		return err
	}
	if err := mountTmpfs(place, "mode=0700"); err != nil {
		return err
	}
	defer func() {
		if unmountErr := unix.Unmount(place, unix.MNT_DETACH); unmountErr != nil {
			err = errors.Join(err, mountError("unmount", place, unmountErr))
		}
	}()
	for _, directory := range []string{original, copied} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			return err
		}
	}
	if err := mountTmpfs(original, "mode=0700"); err != nil {
		return err
	}
	if err := unix.Mount("", original, "", unix.MS_SHARED, ""); err != nil {
		return mountError("mount as shared", original, err)
	}
	if err := bind(original, copied); err != nil {
		return err
	}
	spread := filepath.Join(original, "spread")
	if err := os.Mkdir(spread, 0o700); err != nil {
		return err
	}
	if err := mountTmpfs(spread, "mode=0700"); err != nil {
		return err
	}
	if err := unix.Unmount(spread, 0); err != nil {
		return mountError("unmount, after it has spread,", spread, err)
	}
	return nil
}
