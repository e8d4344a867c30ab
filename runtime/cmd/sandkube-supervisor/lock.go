package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// lockLimit is how long a supervisor that is ending may hold the lock.
	lockLimit = time.Second
	lockPoll  = 20 * time.Millisecond
)

// takeLock makes this process the cluster's only supervisor until the file is closed.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("supervisor lock: %w", err)
	}
	deadline := time.Now().Add(lockLimit)
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
		time.Sleep(lockPoll)
	}
	if err == nil {
		err = noteHolder(file)
	}
	if err == nil {
		return file, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(file, 32))
		err = fmt.Errorf("the cluster has a supervisor already, process %s (it holds %s)", strings.TrimSpace(string(holder)), path)
	} else {
		err = fmt.Errorf("supervisor lock %s: %w", path, err)
	}
	return nil, errors.Join(err, file.Close())
}

// noteHolder writes this process's number into the lock, for people.
func noteHolder(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(file, os.Getpid())
	return err
}
