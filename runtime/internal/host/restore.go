package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/cni"
	"sandkube.dev/runtime/internal/ipam"
	"sandkube.dev/runtime/internal/nodespec"
)

// Restore undoes, last first, what the cluster has on record, and removes the
// record. Without a record there is nothing to do. What can not be undone is
// reported and stays on record, so that Restore can be run again.
func Restore(ctx context.Context, spec *nodespec.NodeSpec) (err error) {
	if _, err := os.Stat(spec.HostRecord()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	journal, err := openJournal(ctx, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	if !journal.present {
		return nil
	}
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("rtnetlink socket: %w", err)
	}
	defer links.Close()

	restorer := restorer{links: links, podLinks: func() ([]string, error) { return leasedLinks(ctx, spec) }}
	var errs []error
	var failed []change
	for _, made := range slices.Backward(journal.own.Changes) {
		if _, _, shared := journal.sharer(made); shared {
			continue
		}
		if made.Kind == cgroupParentMade && slices.ContainsFunc(failed, made.above) {
			failed = append(failed, made)
			continue
		}
		if err := restorer.undo(ctx, made); err != nil {
			errs = append(errs, err)
			failed = append(failed, made)
		}
	}
	if len(failed) > 0 {
		slices.Reverse(failed)
		journal.own.Changes = failed
		return errors.Join(append(errs, journal.own.write(journal.path))...)
	}
	if err := os.Remove(journal.path); err != nil {
		return fmt.Errorf("remove host record: %w", err)
	}
	return nil
}

type restorer struct {
	links    *netlink.Handle
	podLinks func() ([]string, error)
}

func (r restorer) undo(ctx context.Context, made change) error {
	switch made.Kind {
	case bridgeMade:
		pods, err := r.podLinks()
		return errors.Join(err, removeBridge(r.links, made.Target, pods))
	case linkRaised:
		return lowerLink(r.links, made.Target)
	case cgroupMade:
		return removeCgroup(ctx, made.Target)
	case cgroupParentMade:
		return removeEmptyCgroup(made.Target)
	case controllerEnabled:
		return disableController(made.Target, made.Controller)
	}
	return fmt.Errorf("the host record has a change of unknown kind %q", made.Kind)
}

// leasedLinks names the links of all pods that have an address: gVisor of 2024-07
// does not tell which links are ports of the bridge.
func leasedLinks(ctx context.Context, spec *nodespec.NodeSpec) ([]string, error) {
	var names []string
	for _, node := range spec.Views() {
		links, err := leasedLinksOf(ctx, node)
		if err != nil {
			return nil, err
		}
		names = append(names, links...)
	}
	return names, nil
}

func leasedLinksOf(ctx context.Context, node *nodespec.NodeView) ([]string, error) {
	directory := node.LeaseDirectory()
	if _, err := os.Stat(directory); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	podRange, err := netip.ParsePrefix(node.Self.PodRange)
	if err != nil {
		return nil, fmt.Errorf("range of the pods of node %s: %w", node.Self.Name, err)
	}
	store, err := ipam.Open(directory, podRange)
	if err != nil {
		return nil, err
	}
	leases, err := store.Leases(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, lease := range leases {
		names = append(names, cni.HostLink(lease.Owner))
	}
	return names, nil
}
