// Package cadvisor gives the kubelet its view of the machine and of cgroup usage.
//
// It implements the kubelet's interface to cAdvisor from the few files that
// sandboxes have. cAdvisor itself finds neither the root file system nor any
// container in gVisor, and then the kubelet exits when local storage is isolated
// and answers 500 on /stats/summary when it is not.
package cadvisor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	cadvisorapi "github.com/google/cadvisor/info/v1"
	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	"golang.org/x/sys/unix"
	upstream "k8s.io/kubernetes/pkg/kubelet/cadvisor"
)

// Directories are the places whose file systems the kubelet asks about.
type Directories struct {
	// Root is the kubelet's root directory.
	Root string
	// Images is where image content lies, Container where writable layers lie.
	Images    string
	Container string
}

// Interface implements the kubelet's cAdvisor interface. It is safe for concurrent use.
type Interface struct {
	directories Directories
	cgroups     hierarchy
	labels      Labels

	mu sync.Mutex
	// samples holds the last CPU usage of each cgroup, to tell a rate from two readings.
	samples map[string]cpuSample
}

var _ upstream.Interface = (*Interface)(nil)

// New returns an Interface that reads the hierarchies mounted at /sys/fs/cgroup.
func New(directories Directories, labels Labels) *Interface {
	return &Interface{
		directories: directories,
		labels:      labels,
		cgroups:     findHierarchy("/sys/fs/cgroup"),
		samples:     make(map[string]cpuSample),
	}
}

// Start does nothing: usage is read when it is asked for.
func (i *Interface) Start() error { return nil }

// ContainerInfoV2 returns the usage of one cgroup, and of those below it when the
// request is recursive. Keys are cgroup names such as "/kubepods".
func (i *Interface) ContainerInfoV2(name string, options cadvisorapiv2.RequestOptions) (map[string]cadvisorapiv2.ContainerInfo, error) {
	names := []string{name}
	if options.Recursive {
		below, err := i.cgroups.below(name)
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	now := time.Now()
	labels := i.labelsOf(names)
	infos := make(map[string]cadvisorapiv2.ContainerInfo, len(names))
	for index, each := range names {
		usage, err := i.cgroups.read(each)
		if err != nil {
			if index == 0 {
				return nil, fmt.Errorf("cgroup %s: %w", each, err)
			}
			// Pods come and go while their cgroups are listed.
			continue
		}
		info := i.info(each, usage, now)
		info.Spec.Labels = labels[each]
		infos[each] = info
	}
	return infos, nil
}

func (i *Interface) info(name string, u usage, now time.Time) cadvisorapiv2.ContainerInfo {
	stats := &cadvisorapiv2.ContainerStats{
		Timestamp: now,
		Cpu:       &cadvisorapi.CpuStats{Usage: cadvisorapi.CpuUsage{Total: u.cpuNanoseconds}},
		Memory:    &cadvisorapi.MemoryStats{Usage: u.memoryBytes, WorkingSet: u.workingSetBytes, RSS: u.rssBytes},
		Processes: &cadvisorapi.ProcessStats{ProcessCount: u.processes},
	}
	if rate, ok := i.rate(name, u.cpuNanoseconds, now); ok {
		stats.CpuInst = &cadvisorapiv2.CpuInstStats{Usage: cadvisorapiv2.CpuInstUsage{Total: rate}}
	}
	return cadvisorapiv2.ContainerInfo{
		Spec: cadvisorapiv2.ContainerSpec{
			CreationTime: u.created,
			HasCpu:       true,
			HasMemory:    true,
			HasProcesses: true,
			Memory:       cadvisorapiv2.MemorySpec{Limit: u.memoryLimitBytes},
		},
		Stats: []*cadvisorapiv2.ContainerStats{stats},
	}
}

type cpuSample struct {
	at          time.Time
	nanoseconds uint64
	rate        uint64
	known       bool
}

// minimumInterval keeps a rate from being told from two readings that are too close.
const minimumInterval = time.Second

// rate returns the CPU usage in nanocores (nanoseconds a second) since the last sample.
func (i *Interface) rate(name string, nanoseconds uint64, now time.Time) (uint64, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	last, ok := i.samples[name]
	elapsed := now.Sub(last.at)
	switch {
	case !ok || nanoseconds < last.nanoseconds:
		last = cpuSample{at: now, nanoseconds: nanoseconds}
	case elapsed >= minimumInterval:
		rate := float64(nanoseconds-last.nanoseconds) / elapsed.Seconds()
		last = cpuSample{at: now, nanoseconds: nanoseconds, rate: uint64(rate), known: true}
	}
	i.samples[name] = last
	i.forget(now)
	return last.rate, last.known
}

// sampleLife is how long the sample of a cgroup that nobody asks about is kept.
const sampleLife = 10 * time.Minute

func (i *Interface) forget(now time.Time) {
	for name, sample := range i.samples {
		if now.Sub(sample.at) > sampleLife {
			delete(i.samples, name)
		}
	}
}

// GetRequestedContainersInfo returns what ContainerInfoV2 does, in the form of version 1.
func (i *Interface) GetRequestedContainersInfo(name string, options cadvisorapiv2.RequestOptions) (map[string]*cadvisorapi.ContainerInfo, error) {
	infos, err := i.ContainerInfoV2(name, options)
	if err != nil {
		return nil, err
	}
	result := make(map[string]*cadvisorapi.ContainerInfo, len(infos))
	for each, info := range infos {
		latest := info.Stats[0]
		result[each] = &cadvisorapi.ContainerInfo{
			ContainerReference: cadvisorapi.ContainerReference{Name: each},
			Spec: cadvisorapi.ContainerSpec{
				CreationTime: info.Spec.CreationTime,
				Labels:       info.Spec.Labels,
				HasCpu:       true,
				HasMemory:    true,
				HasProcesses: true,
				Memory:       cadvisorapi.MemorySpec{Limit: info.Spec.Memory.Limit},
			},
			Stats: []*cadvisorapi.ContainerStats{{
				Timestamp: latest.Timestamp,
				Cpu:       *latest.Cpu,
				Memory:    *latest.Memory,
				Processes: *latest.Processes,
			}},
		}
	}
	return result, nil
}

// VersionInfo names the kernel and the operating system of the sandbox.
func (i *Interface) VersionInfo() (*cadvisorapi.VersionInfo, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	return &cadvisorapi.VersionInfo{
		KernelVersion:      unix.ByteSliceToString(name.Release[:]),
		ContainerOsVersion: operatingSystem(),
	}, nil
}

// operatingSystem is PRETTY_NAME of os-release(5).
func operatingSystem() string {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "Linux"
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return "Linux"
}

// RootFsInfo describes the file system of the kubelet's root directory.
func (i *Interface) RootFsInfo() (cadvisorapiv2.FsInfo, error) {
	return i.GetDirFsInfo(i.directories.Root)
}

// ImagesFsInfo describes the file system that holds image content.
func (i *Interface) ImagesFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) {
	return i.GetDirFsInfo(i.directories.Images)
}

// ContainerFsInfo describes the file system that holds writable layers.
func (i *Interface) ContainerFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) {
	return i.GetDirFsInfo(i.directories.Container)
}

// GetDirFsInfo describes the file system that holds a path. Sizes are in bytes.
func (i *Interface) GetDirFsInfo(path string) (cadvisorapiv2.FsInfo, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return cadvisorapiv2.FsInfo{}, fmt.Errorf("statfs %s: %w", path, err)
	}
	block := uint64(stat.Bsize)
	return cadvisorapiv2.FsInfo{
		Timestamp:  time.Now(),
		Device:     filepath.Clean(path),
		Mountpoint: filepath.Clean(path),
		Capacity:   stat.Blocks * block,
		Available:  stat.Bavail * block,
		Usage:      (stat.Blocks - stat.Bfree) * block,
		Inodes:     &stat.Files,
		InodesFree: &stat.Ffree,
	}, nil
}
