package ipam

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	podRange = netip.MustParsePrefix("10.42.0.0/29")
	gateway  = netip.MustParseAddr("10.42.0.1")
)

func open(t *testing.T, directory string) *Store {
	t.Helper()
	store, err := Open(directory, podRange, gateway)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func acquire(t *testing.T, store *Store, container string) netip.Addr {
	t.Helper()
	address, err := store.Acquire(t.Context(), Owner{container, "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestAcquireSkipsWhatIsNotForPodsAndEndsWithTheRange(t *testing.T) {
	store := open(t, t.TempDir())
	for i := 2; i <= 6; i++ {
		if got, want := acquire(t, store, fmt.Sprint("c", i)).String(), fmt.Sprintf("10.42.0.%d", i); got != want {
			t.Errorf("address %s, want %s", got, want)
		}
	}
	_, err := store.Acquire(t.Context(), Owner{"one-too-many", "eth0"})
	var exhausted *ExhaustedError
	if !errors.As(err, &exhausted) || exhausted.InUse != 5 || exhausted.Range != podRange {
		t.Fatalf("error %v, want exhaustion of %s with 5 in use", err, podRange)
	}
	if err := store.Release(t.Context(), Owner{"c4", "eth0"}); err != nil {
		t.Fatal(err)
	}
	if got := acquire(t, store, "after-release").String(); got != "10.42.0.4" {
		t.Errorf("address %s, want the one that was released", got)
	}
}

func TestReleasedAddressesComeLast(t *testing.T) {
	directory := t.TempDir()
	var got []string
	for i := range 7 {
		store := open(t, directory)
		container := fmt.Sprint("c", i)
		got = append(got, acquire(t, store, container).String())
		if err := store.Release(t.Context(), Owner{container, "eth0"}); err != nil {
			t.Fatal(err)
		}
	}
	want := "[10.42.0.2 10.42.0.3 10.42.0.4 10.42.0.5 10.42.0.6 10.42.0.2 10.42.0.3]"
	if fmt.Sprint(got) != want {
		t.Errorf("addresses %v, want %s", got, want)
	}
}

func TestAcquireReplacesTheOwnersStaleLease(t *testing.T) {
	store := open(t, t.TempDir())
	acquire(t, store, "c")
	second := acquire(t, store, "c")
	leases, err := store.Leases(t.Context())
	if err != nil || len(leases) != 1 || leases[0].Address != second {
		t.Fatalf("leases %v, %v; want only %s", leases, err, second)
	}
	if address, found, err := store.Lookup(t.Context(), Owner{"c", "eth1"}); found || err != nil {
		t.Fatalf("another interface of the container has %s, %v; want nothing", address, err)
	}
}

func TestReleaseOfNothingIsNoError(t *testing.T) {
	if err := open(t, t.TempDir()).Release(t.Context(), Owner{"never-seen", "eth0"}); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedFilesHoldNoLease(t *testing.T) {
	directory := t.TempDir()
	store := open(t, directory)
	for path, content := range map[string]string{
		"leases/10.42.0.2": "",
		"leases/10.42.0.3": "{\"contai",
		"leases/notes":     "not an address",
		"last":             "garbage",
		"new":              "left by a killed writer",
	} {
		if err := os.WriteFile(filepath.Join(directory, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := acquire(t, store, "c").String(); got != "10.42.0.2" {
		t.Errorf("address %s, want 10.42.0.2", got)
	}
}

func TestOpenRefusesRangesWithoutRoom(t *testing.T) {
	for _, text := range []string{"10.42.0.0/31", "10.42.0.0/32", "fd00::/64"} {
		if _, err := Open(t.TempDir(), netip.MustParsePrefix(text)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func TestWaitForTheLockHasALimit(t *testing.T) {
	directory := t.TempDir()
	store := open(t, directory)
	unlock, err := lock(t.Context(), filepath.Join(directory, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := store.Acquire(ctx, Owner{"c", "eth0"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the deadline", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	acquire(t, store, "c")
}
