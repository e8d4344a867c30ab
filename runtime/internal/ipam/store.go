// Package ipam leases the addresses of one node's pod range.
//
// A lease is a file named after its address, below the state directory; what it
// holds names the attachment (container and interface) that has the address.
// Processes exclude each other by flock(2) on a file, which the kernel drops with
// the process however it ends, and each file appears whole by rename(2): a
// process that is killed at any point leaves a state the next one can use.
package ipam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

const (
	lockFile   = "lock"
	lastFile   = "last"
	leaseFiles = "leases"
	// newFile is written and then renamed; the lock makes one name enough.
	newFile = "new"
)

// Owner is the attachment that holds an address: the pair that identifies it in
// the CNI specification (CNI_CONTAINERID, CNI_IFNAME).
type Owner struct {
	ContainerID string `json:"containerId"`
	Interface   string `json:"interface"`
}

// Lease is an address that is in use.
type Lease struct {
	Address netip.Addr
	Owner   Owner
}

// ExhaustedError says that every address of the range is leased.
type ExhaustedError struct {
	Range netip.Prefix
	InUse int
}

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("no free address in the pod range %s: all %d are in use", e.Range, e.InUse)
}

// Store is the set of leases in one state directory.
type Store struct {
	directory string
	span      span
}

// Open returns the store of a state directory, which it makes if need be. The
// reserved addresses are never leased, nor are the first and the last of the range.
func Open(directory string, podRange netip.Prefix, reserved ...netip.Addr) (*Store, error) {
	span, err := newSpan(podRange, reserved)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(directory, leaseFiles), 0o700); err != nil {
		return nil, fmt.Errorf("state directory of the address leases: %w", err)
	}
	return &Store{directory: directory, span: span}, nil
}

// Acquire leases an address to the owner. A lease that the owner has already is
// left over from an attempt that was cut short, and is given up first. Addresses
// are handed out in turn, so that one is not reused as long as another is free.
// The error is an *ExhaustedError when none is.
func (s *Store) Acquire(ctx context.Context, owner Owner) (netip.Addr, error) {
	var address netip.Addr
	err := s.locked(ctx, func() error {
		if err := s.release(owner); err != nil {
			return err
		}
		leases, err := s.read()
		if err != nil {
			return err
		}
		address, err = s.span.next(s.last(), leases)
		if err != nil {
			return err
		}
		content, err := json.Marshal(owner)
		if err != nil {
			return fmt.Errorf("encode lease: %w", err)
		}
		if err := s.write(s.leasePath(address), content); err != nil {
			return err
		}
		return s.write(filepath.Join(s.directory, lastFile), []byte(address.String()))
	})
	return address, err
}

// Release gives up what the owner has leased; it is no error if that is nothing.
func (s *Store) Release(ctx context.Context, owner Owner) error {
	return s.locked(ctx, func() error { return s.release(owner) })
}

// Lookup returns the address that the owner has leased.
func (s *Store) Lookup(ctx context.Context, owner Owner) (address netip.Addr, found bool, err error) {
	leases, err := s.Leases(ctx)
	for _, lease := range leases {
		if lease.Owner == owner {
			return lease.Address, true, nil
		}
	}
	return netip.Addr{}, false, err
}

// Leases returns every lease, in no particular order.
func (s *Store) Leases(ctx context.Context) ([]Lease, error) {
	var leases []Lease
	err := s.locked(ctx, func() error {
		held, err := s.read()
		for address, owner := range held {
			leases = append(leases, Lease{Address: address, Owner: owner})
		}
		return err
	})
	return leases, err
}

func (s *Store) locked(ctx context.Context, work func() error) error {
	unlock, err := lock(ctx, filepath.Join(s.directory, lockFile))
	if err != nil {
		return fmt.Errorf("lock the address leases: %w", err)
	}
	return errors.Join(work(), unlock())
}

func (s *Store) release(owner Owner) error {
	leases, err := s.read()
	if err != nil {
		return err
	}
	for address, holder := range leases {
		if holder != owner {
			continue
		}
		if err := os.Remove(s.leasePath(address)); err != nil {
			return fmt.Errorf("release %s: %w", address, err)
		}
	}
	return nil
}

// read returns the leases by address. A file without a readable owner holds no
// lease: only a machine that stops before the content reaches the disk leaves
// one, and no pod lives through that.
func (s *Store) read() (map[netip.Addr]Owner, error) {
	entries, err := os.ReadDir(filepath.Join(s.directory, leaseFiles))
	if err != nil {
		return nil, fmt.Errorf("read the address leases: %w", err)
	}
	leases := make(map[netip.Addr]Owner, len(entries))
	for _, entry := range entries {
		address, err := netip.ParseAddr(entry.Name())
		if err != nil {
			continue
		}
		content, err := os.ReadFile(s.leasePath(address))
		if err != nil {
			return nil, fmt.Errorf("read lease: %w", err)
		}
		var owner Owner
		if json.Unmarshal(content, &owner) == nil && owner.ContainerID != "" {
			leases[address] = owner
		}
	}
	return leases, nil
}

// last is the address that was leased most recently, or the zero address.
func (s *Store) last() netip.Addr {
	content, err := os.ReadFile(filepath.Join(s.directory, lastFile))
	if err != nil {
		return netip.Addr{}
	}
	address, err := netip.ParseAddr(strings.TrimSpace(string(content)))
	if err != nil {
		return netip.Addr{}
	}
	return address
}

func (s *Store) leasePath(address netip.Addr) string {
	return filepath.Join(s.directory, leaseFiles, address.String())
}

func (s *Store) write(path string, content []byte) error {
	temporary := filepath.Join(s.directory, newFile)
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("write lease: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("write lease: %w", err), remove(temporary))
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
