package cadvisor

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what one cgroup has used. What the sandbox does not count stays 0.
type usage struct {
	created          time.Time
	cpuNanoseconds   uint64
	memoryBytes      uint64
	workingSetBytes  uint64
	rssBytes         uint64
	memoryLimitBytes uint64
	processes        uint64
}

// hierarchy is where cgroups are found and read.
type hierarchy struct {
	unified bool
	// cpu, memory and pids are directories of mounted hierarchies; the same one when unified.
	cpu    string
	memory string
	pids   string
}

func findHierarchy(root string) hierarchy {
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return hierarchy{unified: true, cpu: root, memory: root, pids: root}
	}
	return hierarchy{
		cpu:    filepath.Join(root, "cpuacct"),
		memory: filepath.Join(root, "memory"),
		pids:   filepath.Join(root, "pids"),
	}
}

// below lists the names of all cgroups below one.
func (h hierarchy) below(name string) ([]string, error) {
	top := filepath.Join(h.cpu, name)
	var names []string
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == top {
				return err
			}
			return nil
		}
		if entry.IsDir() && path != top {
			names = append(names, strings.TrimPrefix(path, h.cpu))
		}
		return nil
	})
	return names, err
}

// read returns the usage of one cgroup; fs.ErrNotExist when there is none of that name.
func (h hierarchy) read(name string) (usage, error) {
	info, err := os.Stat(filepath.Join(h.cpu, name))
	if err != nil {
		return usage{}, err
	}
	u := usage{created: info.ModTime()}
	if h.unified {
		h.readUnified(name, &u)
	} else {
		h.readLegacy(name, &u)
	}
	return u, nil
}

// readLegacy reads version 1 files (kernel.org cgroup-v1/memory and cpuacct). gVisor
// has no memory.stat: all memory then counts as the working set.
func (h hierarchy) readLegacy(name string, u *usage) {
	u.cpuNanoseconds = readNumber(filepath.Join(h.cpu, name, "cpuacct.usage"))
	u.memoryBytes = readNumber(filepath.Join(h.memory, name, "memory.usage_in_bytes"))
	u.memoryLimitBytes = readNumber(filepath.Join(h.memory, name, "memory.limit_in_bytes"))
	u.processes = readNumber(filepath.Join(h.pids, name, "pids.current"))
	stat := readTable(filepath.Join(h.memory, name, "memory.stat"))
	u.rssBytes = orElse(stat, "total_rss", u.memoryBytes)
	u.workingSetBytes = u.memoryBytes - min(u.memoryBytes, stat["total_inactive_file"])
}

// readUnified reads version 2 files (kernel.org admin-guide/cgroup-v2). The root
// cgroup has no memory.current.
func (h hierarchy) readUnified(name string, u *usage) {
	directory := filepath.Join(h.cpu, name)
	u.cpuNanoseconds = readTable(filepath.Join(directory, "cpu.stat"))["usage_usec"] * 1000
	u.memoryBytes = readNumber(filepath.Join(directory, "memory.current"))
	u.memoryLimitBytes = readNumber(filepath.Join(directory, "memory.max"))
	u.processes = readNumber(filepath.Join(directory, "pids.current"))
	stat := readTable(filepath.Join(directory, "memory.stat"))
	u.rssBytes = orElse(stat, "anon", u.memoryBytes)
	u.workingSetBytes = u.memoryBytes - min(u.memoryBytes, stat["inactive_file"])
}

// readNumber reads a file of one number. "max" means no limit; a missing file means 0.
func readNumber(path string) uint64 {
	data, err := readFile(path)
	if err != nil {
		return 0
	}
	text := strings.TrimSpace(string(data))
	if text == "max" {
		return math.MaxUint64
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return math.MaxUint64
	}
	if err != nil {
		return 0
	}
	return value
}

// readTable reads a file of "key value" lines; a missing file is an empty table.
func readTable(path string) map[string]uint64 {
	data, err := readFile(path)
	if err != nil {
		return nil
	}
	table := make(map[string]uint64)
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		if value, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
			table[fields[0]] = value
		}
	}
	return table
}

// readBytes is more than any of the files holds: memory.stat, the longest, has 2 KB.
const readBytes = 4 << 10

// readFile reads a file of a cgroup with three system calls. os.ReadFile makes ten, most of
// them to find out that the file can not be polled, and the kubelet reads a hundred such files
// every ten seconds for a few pods.
func readFile(path string) ([]byte, error) {
	descriptor, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(descriptor)
	buffer := make([]byte, readBytes)
	for {
		length, err := unix.Read(descriptor, buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		return buffer[:length], nil
	}
}

func orElse(table map[string]uint64, key string, fallback uint64) uint64 {
	if value, ok := table[key]; ok {
		return value
	}
	return fallback
}
