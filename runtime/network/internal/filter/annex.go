package filter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// annexFile is where the annex is mounted.
const annexFile = "annex"

// annex is the network namespace of the little bridges. They can not be in the node's:
// gVisor hands each frame that passes a bridge to the network stack as well, and that
// would forward it past the filter if net.ipv4.ip_forward is on. And moving to another
// namespace is what makes a link leave its bridge in gVisor, which accepts it when told
// to leave but does nothing.
//
// A bind mount keeps the namespace, and the pods' links in it, when the process ends.
type annex struct {
	*space
	path string
}

// annexExists says whether an earlier process may have left something.
func annexExists(directory string) bool {
	_, err := os.Stat(filepath.Join(directory, annexFile))
	return err == nil
}

// openAnnex enters the namespace that is mounted in the directory, or mounts a new one.
func openAnnex(directory string) (*annex, error) {
	path := filepath.Join(directory, annexFile)
	if found, err := spaceOn(path); err == nil {
		return &annex{space: found, path: path}, nil
	}
	// A file without a mount is left when the mount namespace has ended.
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return nil, fmt.Errorf("place for a network namespace: %w", err)
	}
	if err := mountNewSpace(path); err != nil {
		return nil, err
	}
	made, err := spaceOn(path)
	if err != nil {
		return nil, err
	}
	return &annex{space: made, path: path}, nil
}

// spaceOn opens the namespace that is mounted on a file.
func spaceOn(path string) (*space, error) {
	descriptor, err := netns.GetFromPath(path)
	if err != nil {
		return nil, fmt.Errorf("open the network namespace %s: %w", path, err)
	}
	found, err := spaceAt(descriptor)
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", path, err)
	}
	return found, nil
}

func mountNewSpace(path string) error {
	made := make(chan error)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- fmt.Errorf("new network namespace: %w", err)
			return
		}
		source := fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
		if err := unix.Mount(source, path, "", unix.MS_BIND, ""); err != nil {
			made <- fmt.Errorf("mount a network namespace on %s: %w", path, err)
			return
		}
		made <- nil
	}()
	return <-made
}

// removeAll gives the namespace up, and all that is in it.
func (a *annex) removeAll() error {
	err := a.close()
	if failure := unix.Unmount(a.path, 0); failure != nil {
		return errors.Join(err, fmt.Errorf("unmount %s: %w", a.path, failure))
	}
	return errors.Join(err, os.Remove(a.path))
}
