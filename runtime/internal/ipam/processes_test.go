package ipam

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary plays other processes: it runs one of these in place of the tests.
const (
	actVariable = "IPAM_TEST_ACT"
	actAcquire  = "acquire"
	actHoldLock = "hold-lock"
)

func TestMain(m *testing.M) {
	var err error
	switch act := os.Getenv(actVariable); act {
	case "":
		os.Exit(m.Run())
	case actAcquire:
		err = acquireMany(os.Args[1], os.Args[2])
	case actHoldLock:
		err = holdLock(os.Args[1])
	default:
		err = fmt.Errorf("unknown act %q", act)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const addressesPerProcess = 20

func acquireMany(directory, process string) error {
	store, err := Open(directory, netip.MustParsePrefix("10.42.0.0/24"), gateway)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i := range addressesPerProcess {
		address, err := store.Acquire(ctx, Owner{fmt.Sprintf("%s-%d", process, i), "eth0"})
		if err != nil {
			return err
		}
		fmt.Println(address)
	}
	return nil
}

func holdLock(directory string) error {
	if _, err := lock(context.Background(), filepath.Join(directory, lockFile)); err != nil {
		return err
	}
	fmt.Println("locked")
	time.Sleep(time.Minute)
	return nil
}

func play(t *testing.T, act string, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/proc/self/exe", arguments...)
	command.Env = append(os.Environ(), actVariable+"="+act)
	command.Stderr = os.Stderr
	return command
}

func TestProcessesAtOnceGetDifferentAddresses(t *testing.T) {
	directory := t.TempDir()
	const processes = 8
	outputs := make([]string, processes)
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			output, err := play(t, actAcquire, directory, fmt.Sprint("process", i)).Output()
			if err != nil {
				t.Error(err)
			}
			outputs[i] = string(output)
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for address := range strings.FieldsSeq(strings.Join(outputs, "")) {
		if seen[address] {
			t.Errorf("%s is leased twice", address)
		}
		seen[address] = true
	}
	if len(seen) != processes*addressesPerProcess {
		t.Errorf("%d addresses, want %d", len(seen), processes*addressesPerProcess)
	}
}

func TestLockEndsWithAKilledProcess(t *testing.T) {
	directory := t.TempDir()
	store := open(t, directory)
	holder := play(t, actHoldLock, directory)
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := store.Acquire(short, Owner{"c", "eth0"}); err == nil {
		t.Error("the lock is not exclusive")
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	long, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := store.Acquire(long, Owner{"c", "eth0"}); err != nil {
		t.Error(err)
	}
}
