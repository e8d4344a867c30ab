package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// leftoverLimit is how long killed processes may take to disappear.
	leftoverLimit = 5 * time.Second
	leftoverPoll  = 10 * time.Millisecond
)

// killAllOthers ends every process of a pid namespace, of which this process is the
// first one. Linux does so itself when the first one ends; gVisor of 2024 does not.
func killAllOthers() {
	if os.Getpid() == 1 {
		_ = syscall.Kill(-1, syscall.SIGKILL)
	}
}

// pidNamespace names a process's pid namespace; two processes in one get the same name.
func pidNamespace(pid int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
}

// killNamespace ends every process of a pid namespace whose first process has been killed.
func killNamespace(namespace string) error {
	own, err := pidNamespace(os.Getpid())
	if err != nil || namespace == "" || namespace == own {
		return err
	}
	for deadline := time.Now().Add(leftoverLimit); ; time.Sleep(leftoverPoll) {
		left, err := processes(func(pid int) bool {
			found, err := pidNamespace(pid)
			return err == nil && found == namespace && !hasEnded(pid)
		})
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes of the node can not be ended: %v", left)
		}
		for _, pid := range left {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill process %d of the node: %w", pid, err)
			}
		}
	}
}

// killFormerNode ends what is left of a node whose supervisor was killed together with
// node-init. The lock is held, so a shim that serves the cluster's containerd can only
// be of such a node.
func killFormerNode(containerdSocket string) error {
	namespaces := make(map[string]bool)
	_, err := processes(func(pid int) bool {
		if isShim(pid, containerdSocket) {
			if namespace, err := pidNamespace(pid); err == nil {
				namespaces[namespace] = true
			}
		}
		return false
	})
	for namespace := range namespaces {
		err = errors.Join(err, killNamespace(namespace))
	}
	return err
}

func isShim(pid int, containerdSocket string) bool {
	commandLine, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	arguments := strings.Split(string(commandLine), "\x00")
	return filepath.Base(arguments[0]) == shimProgram && slices.Contains(arguments, containerdSocket)
}

// hasEnded is true for a process that its parent has only not waited for: that is
// nothing to wait for here, since in a sandbox there may be no parent who does.
func hasEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// The state follows the name in parentheses, which may hold anything (proc_pid_stat(5)).
	end := bytes.LastIndexByte(stat, ')')
	return end < 0 || bytes.HasPrefix(stat[end:], []byte(") Z")) || bytes.HasPrefix(stat[end:], []byte(") X"))
}

// processes returns the numbers of all processes that fit.
func processes(fits func(pid int) bool) ([]int, error) {
	directory, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var found []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && fits(pid) {
			found = append(found, pid)
		}
	}
	return found, nil
}
