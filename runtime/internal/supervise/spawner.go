// Package supervise keeps a node's processes running: it starts them, gathers their
// output and events, starts them again when they end, and tells which component
// ended them.
package supervise

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// ErrEnded says that a process can not be signalled because it has ended.
var ErrEnded = errors.New("the process has ended")

// Spawner starts all child processes of this process, and waits for every child,
// adopted orphans included. A process that has one must not wait for children in
// any other way, os/exec included.
//
// All children are started by one operating-system thread: the signal that
// Pdeathsig asks for comes when the thread that started the child ends, and Go
// ends threads at will unless a goroutine is locked to them.
type Spawner struct {
	requests chan spawnRequest
	// forked wakes the reaper when there is a child again.
	forked chan struct{}

	mu sync.Mutex
	// children are the started processes that have not been waited for, by pid.
	children map[int]*Process
}

// Process is a started child.
type Process struct {
	PID     int
	spawner *Spawner
	ended   chan struct{}
	status  syscall.WaitStatus
}

// Program is what a process executes.
type Program struct {
	// Argv has the absolute path of the program first.
	Argv []string
	Env  []string
	// Directory is the working directory; empty: this process's.
	Directory string
	// Files become the descriptors 0, 1, and so on.
	Files []*os.File
	Sys   syscall.SysProcAttr
}

type spawnRequest struct {
	program Program
	reply   chan<- spawnReply
}

type spawnReply struct {
	process *Process
	err     error
}

// NewSpawner starts the goroutines of a Spawner, which last as long as this process.
func NewSpawner() *Spawner {
	s := &Spawner{
		requests: make(chan spawnRequest),
		forked:   make(chan struct{}, 1),
		children: make(map[int]*Process),
	}
	go s.serve()
	go s.reap()
	return s
}

// Spawn starts a program.
func (s *Spawner) Spawn(program Program) (*Process, error) {
	reply := make(chan spawnReply, 1)
	s.requests <- spawnRequest{program: program, reply: reply}
	r := <-reply
	return r.process, r.err
}

func (s *Spawner) serve() {
	runtime.LockOSThread()
	for request := range s.requests {
		process, err := s.fork(request.program)
		request.reply <- spawnReply{process: process, err: err}
	}
}

func (s *Spawner) fork(program Program) (*Process, error) {
	files := make([]uintptr, len(program.Files))
	for i, file := range program.Files {
		files[i] = file.Fd()
	}
	attributes := &syscall.ProcAttr{Dir: program.Directory, Env: program.Env, Files: files, Sys: &program.Sys}
	// The reaper looks a child up under the same lock, so even one that ends at once is known to it.
	s.mu.Lock()
	defer s.mu.Unlock()
	pid, err := syscall.ForkExec(program.Argv[0], program.Argv, attributes)
	runtime.KeepAlive(program.Files)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program.Argv[0], err)
	}
	process := &Process{PID: pid, spawner: s, ended: make(chan struct{})}
	s.children[pid] = process
	select {
	case s.forked <- struct{}{}:
	default:
	}
	return process, nil
}

// reap waits for children for ever. Orphans can only be adopted while there is a
// child, so having none is no reason to poll.
func (s *Spawner) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == nil:
			s.ended(pid, status)
		case errors.Is(err, syscall.ECHILD):
			<-s.forked
		}
	}
}

func (s *Spawner) ended(pid int, status syscall.WaitStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if process, ok := s.children[pid]; ok {
		delete(s.children, pid)
		process.status = status
		close(process.ended)
	}
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait blocks until the process has ended, and returns how.
func (p *Process) Wait() syscall.WaitStatus {
	<-p.ended
	return p.status
}

// Signal sends a signal. The error is ErrEnded when the process is gone: its number,
// which may be another's by now, is not used.
func (p *Process) Signal(signal syscall.Signal) error {
	p.spawner.mu.Lock()
	defer p.spawner.mu.Unlock()
	if p.spawner.children[p.PID] != p {
		return ErrEnded
	}
	return syscall.Kill(p.PID, signal)
}
