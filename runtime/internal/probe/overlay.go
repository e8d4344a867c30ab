package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func overlayFacts() []fact {
	return []fact{
		{"overlay.upper-on-data", tryOverlayOnData},
		{"overlay.upper-on-tmpfs", tryOverlayOnTmpfs},
	}
}

func tryOverlayOnData(t *trial) Result {
	if t.dataErrno != "" {
		return Result{State: No, Errno: t.dataErrno, Detail: "make a directory on the data directory's file system: " + t.dataErrno}
	}
	place, err := t.place("overlay")
	if err != nil {
		return no(err, "make a directory on the data directory's file system")
	}
	return tryOverlay(place, "the data directory's file system")
}

func tryOverlayOnTmpfs(t *trial) Result {
	place, err := t.place("overlay-tmpfs")
	if err != nil {
		return no(err, "make a mount point")
	}
	if err := unix.Mount("tmpfs", place, "tmpfs", 0, "mode=0755"); err != nil {
		return no(err, "mount a tmpfs")
	}
	defer unmount(place)
	return tryOverlay(place, "a tmpfs")
}

// tryOverlay mounts an overlay whose layers all lie in the directory and uses it as a
// container's root file system is used.
func tryOverlay(place, where string) Result {
	lower, upper := filepath.Join(place, "lower"), filepath.Join(place, "upper")
	work, merged := filepath.Join(place, "work"), filepath.Join(place, "merged")
	for _, directory := range []string{lower, upper, work, merged} {
		if err := os.Mkdir(directory, 0o755); err != nil {
			return no(err, "make the layers of an overlay")
		}
	}
	for _, name := range []string{"removed", "changed"} {
		if err := leave(filepath.Join(lower, name), "lower"); err != nil {
			return no(err, "write to the lower layer of an overlay")
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	// A volatile overlay is not synchronised at its end, which can take long on a busy
	// disk. Where the option is unknown (Linux before 5.10, gVisor), it is left out.
	err := unix.Mount("overlay", merged, "overlay", 0, options+",volatile")
	if errors.Is(err, unix.EINVAL) {
		err = unix.Mount("overlay", merged, "overlay", 0, options)
	}
	if err != nil {
		return no(err, "mount an overlay with its upper layer on %s", where)
	}
	defer unmount(merged)
	if err := useOverlay(merged, lower); err != nil {
		return no(err, "use an overlay with its upper layer on %s", where)
	}
	return yes("an overlay with its upper layer on %s was written to", where)
}

// useOverlay adds a file, changes one and removes one of the lower layer, and checks
// that the overlay shows all three and the lower layer none.
func useOverlay(merged, lower string) error {
	if err := leave(filepath.Join(merged, "added"), "upper"); err != nil {
		return err
	}
	if err := leave(filepath.Join(merged, "changed"), "upper"); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(merged, "removed")); err != nil {
		return err
	}
	entries, err := os.ReadDir(merged)
	if err != nil {
		return err
	}
	if len(entries) != 2 || entries[0].Name() != "added" || entries[1].Name() != "changed" {
		return fmt.Errorf("the overlay lists %v", entries)
	}
	content, err := os.ReadFile(filepath.Join(lower, "changed"))
	if err != nil {
		return err
	}
	if string(content) != "lower" {
		return fmt.Errorf("a change in the overlay reached its lower layer")
	}
	return nil
}
