package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandkube.dev/runtime/internal/nodespec"
)

// Setup makes the changes that the spec's nodes need. It can be run again at any
// time: what is there already stays. A cluster without a node needs only lo, and in
// host-network mode there is no bridge.
func Setup(ctx context.Context, spec *nodespec.NodeSpec) (err error) {
	journal, err := openJournal(ctx, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("rtnetlink socket: %w", err)
	}
	defer links.Close()

	if err := raiseLoopback(journal, links); err != nil {
		return err
	}
	if spec.Node == nil {
		return nil
	}
	if spec.Node.Network.Mode == nodespec.NetworkBridge {
		if err := makeBridge(journal, links, spec); err != nil {
			return err
		}
	}
	if len(spec.Node.Cgroup.MountControllers) > 0 {
		// Each node mounts hierarchies of its own and makes its cgroup there.
		return nil
	}
	hierarchies, err := mountedHierarchies()
	if err != nil {
		return err
	}
	for _, node := range spec.Nodes {
		if err := makeCgroups(journal, hierarchies, node.CgroupRoot); err != nil {
			return err
		}
	}
	return nil
}
