package probe

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	helperHold     = "hold"
	helperAllocate = "allocate"

	exitCannotJoin     = 3
	exitCannotAllocate = 4
)

// helperMain is a process that a fact needs beside its own: one that holds a namespace
// until its stdin is closed, or one that allocates memory inside a cgroup.
func helperMain(name string, args []string) int {
	switch {
	case name == helperHold && len(args) == 0:
		_, _ = io.Copy(io.Discard, os.Stdin)
		return exitOK
	case name == helperAllocate && len(args) == 2:
		return allocate(args[0], args[1])
	default:
		return exitUsage
	}
}

// allocate joins the cgroup whose cgroup.procs file is given and writes to every page
// of an anonymous mapping of the given size in bytes.
func allocate(procs, size string) int {
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return exitUsage
	}
	if err := os.WriteFile(procs, []byte("0"), 0); err != nil {
		return exitCannotJoin
	}
	memory, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return exitCannotAllocate
	}
	for at := 0; at < len(memory); at += os.Getpagesize() {
		memory[at] = 1
	}
	return exitOK
}

// startHelper starts a helper process with the CLONE_NEW* flags. Closing the returned
// file closes the helper's stdin. It dies with the calling thread.
func (t *trial) startHelper(clone uintptr, args ...string) (pid int, stdin *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		w.Close()
		return 0, nil, err
	}
	defer null.Close()
	argv := append(append([]string{}, t.helper...), "--helper")
	pid, err = syscall.ForkExec("/proc/self/exe", append(argv, args...), &syscall.ProcAttr{
		Dir:   "/",
		Env:   childEnvironment(),
		Files: []uintptr{r.Fd(), null.Fd(), null.Fd()},
		Sys:   &syscall.SysProcAttr{Cloneflags: clone},
	})
	if err != nil {
		w.Close()
		return 0, nil, fmt.Errorf("start a helper process: %w", err)
	}
	return pid, w, nil
}
