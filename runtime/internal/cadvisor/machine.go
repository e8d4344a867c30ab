package cadvisor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	cadvisorapi "github.com/google/cadvisor/info/v1"
)

// MachineInfo describes the sandbox as one socket with its cores and memory.
func (i *Interface) MachineInfo() (*cadvisorapi.MachineInfo, error) {
	memory, err := totalMemoryBytes()
	if err != nil {
		return nil, err
	}
	bootID := firstLine("/proc/sys/kernel/random/boot_id")
	machineID := firstLine("/etc/machine-id")
	if machineID == "" {
		machineID = identifier(i.directories.Root)
	}
	cores := runtime.NumCPU()
	node := cadvisorapi.Node{Memory: memory}
	for core := range cores {
		node.Cores = append(node.Cores, cadvisorapi.Core{Id: core, Threads: []int{core}})
	}
	return &cadvisorapi.MachineInfo{
		Timestamp:        time.Now(),
		NumCores:         cores,
		NumPhysicalCores: cores,
		NumSockets:       1,
		MemoryCapacity:   memory,
		MachineID:        machineID,
		SystemUUID:       machineID,
		BootID:           bootID,
		Topology:         []cadvisorapi.Node{node},
	}, nil
}

// totalMemoryBytes is MemTotal of /proc/meminfo, which gVisor sets to the sandbox's limit.
func totalMemoryBytes() (uint64, error) {
	const path = "/proc/meminfo"
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("memory capacity: %w", err)
	}
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) >= 2 && fields[0] == "MemTotal:" {
			kibibytes, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("memory capacity: %s: %w", path, err)
			}
			return kibibytes << 10, nil
		}
	}
	return 0, fmt.Errorf("memory capacity: %s has no MemTotal", path)
}

func firstLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(line)
}

// identifier stands in for a machine id: stable for one cluster, different for others.
func identifier(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return hex.EncodeToString(sum[:16])
}
