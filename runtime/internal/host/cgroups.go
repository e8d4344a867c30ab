package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const subtreeControl = "cgroup.subtree_control"

// neededControllers are those that the kubelet asks for with version 2.
var neededControllers = []string{"cpu", "cpuset", "memory", "pids"}

// makeCgroups makes the node's cgroup, and the ones above it, in each hierarchy.
func makeCgroups(journal *journal, hierarchies []hierarchy, root string) error {
	names := strings.Split(strings.Trim(root, "/"), "/")
	for _, hierarchy := range hierarchies {
		path := hierarchy.mountPoint
		for i, name := range names {
			if hierarchy.unified {
				if err := enableControllers(journal, path); err != nil {
					return err
				}
			}
			path = filepath.Join(path, name)
			made := change{Kind: cgroupParentMade, Target: path}
			if i == len(names)-1 {
				made.Kind = cgroupMade
			}
			if err := makeCgroup(journal, made); err != nil {
				return err
			}
		}
	}
	return nil
}

func makeCgroup(journal *journal, made change) error {
	_, err := os.Stat(made.Target)
	if err == nil {
		_, err := journal.join(made)
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cgroup %s: %w", made.Target, err)
	}
	if err := journal.note(made); err != nil {
		return err
	}
	if err := os.Mkdir(made.Target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make cgroup: %w", err)
	}
	return nil
}

// enableControllers lets the children of a cgroup of version 2 have the controllers
// that it has itself.
func enableControllers(journal *journal, cgroup string) error {
	available, err := fieldsOf(filepath.Join(cgroup, "cgroup.controllers"))
	if err != nil {
		return err
	}
	path := filepath.Join(cgroup, subtreeControl)
	on, err := fieldsOf(path)
	if err != nil {
		return err
	}
	for _, controller := range neededControllers {
		if !slices.Contains(available, controller) {
			continue
		}
		enabling := change{Kind: controllerEnabled, Target: path, Controller: controller}
		if slices.Contains(on, controller) {
			if _, err := journal.join(enabling); err != nil {
				return err
			}
			continue
		}
		if err := journal.note(enabling); err != nil {
			return err
		}
		if err := writeFile(path, "+"+controller); err != nil {
			return fmt.Errorf("enable the controller %s below %s (a cgroup that holds processes itself can not): %w", controller, cgroup, err)
		}
	}
	return nil
}

// disableController undoes enableControllers. It is no error if other cgroups have
// come to use the controller, or the cgroup is gone.
func disableController(path, controller string) error {
	err := writeFile(path, "-"+controller)
	if errors.Is(err, unix.EBUSY) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

const (
	removeLimit = 3 * time.Second
	removePoll  = 25 * time.Millisecond
)

// removeCgroup removes a cgroup and all below it. Processes that were killed leave
// their cgroup only when they are reaped, so it is tried again for a while.
func removeCgroup(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	for {
		err := removeTree(path)
		if !inUse(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w%s", err, residents(path))
		case <-time.After(removePoll):
		}
	}
}

// inUse says whether a cgroup was not removed because it holds processes, for which
// gVisor has an error number of its own.
func inUse(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ENOTEMPTY)
}

func removeTree(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove cgroup: %w", err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(path, entry.Name())); err != nil {
				return err
			}
		}
	}
	// The files of a cgroup go with it: only rmdir(2) is right here.
	if err := unix.Rmdir(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "remove cgroup", Path: path, Err: err}
	}
	return nil
}

// removeEmptyCgroup leaves a cgroup that someone else has come to use: clusters
// with other data directories share the upper ones.
func removeEmptyCgroup(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove cgroup: %w", err)
	}
	if slices.ContainsFunc(entries, fs.DirEntry.IsDir) {
		return nil
	}
	if err := unix.Rmdir(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "remove cgroup", Path: path, Err: err}
	}
	return nil
}

// residents names the processes that keep a cgroup from being removed.
func residents(path string) string {
	var processes []string
	// What can not be read is left out: this only adds to an error.
	_ = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "cgroup.procs" {
			found, _ := fieldsOf(path)
			processes = append(processes, found...)
		}
		return nil
	})
	if len(processes) == 0 {
		return ""
	}
	return ": it holds the processes " + strings.Join(processes, ", ")
}

func fieldsOf(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	return strings.Fields(string(content)), nil
}

// writeFile writes to a file of the kernel, which can be neither made nor truncated.
func writeFile(path, content string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteString(content); err != nil {
		return fmt.Errorf("write %q: %w", content, err)
	}
	return nil
}
