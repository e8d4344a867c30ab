package cni

import (
	"errors"
	"fmt"

	"github.com/containernetworking/cni/pkg/types"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// nodeLinks returns the rtnetlink handle of the network namespace that the plugin runs in.
func nodeLinks() (*netlink.Handle, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("rtnetlink socket: %w", err)
	}
	return handle, nil
}

// podNamespace is an open network namespace and the rtnetlink handle inside it.
type podNamespace struct {
	descriptor netns.NsHandle
	*netlink.Handle
}

// openNamespace opens the namespace at a path.
func openNamespace(path string) (*podNamespace, error) {
	descriptor, err := netns.GetFromPath(path)
	if err != nil {
		return nil, types.NewError(types.ErrInvalidNetNS, fmt.Sprintf("open the network namespace %s: %v", path, err), "")
	}
	handle, err := netlink.NewHandleAt(descriptor, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rtnetlink socket in %s: %w", path, err), descriptor.Close())
	}
	return &podNamespace{descriptor: descriptor, Handle: handle}, nil
}

func (p *podNamespace) close() {
	p.Handle.Close()
	// A descriptor that is only read has nothing to lose on close.
	_ = p.descriptor.Close()
}

// RemoveLink deletes a link by name, and with it the other end if it is a veth; it
// is no error if there is none.
func RemoveLink(handle *netlink.Handle, name string) error {
	link, err := handle.LinkByName(name)
	if IsMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up link %s: %w", name, err)
	}
	// The pod's namespace may be torn down at the same time, and the pair with it.
	if err := handle.LinkDel(link); err != nil && !IsMissing(err) {
		return fmt.Errorf("delete link %s: %w", name, err)
	}
	return nil
}

// IsMissing says whether an error means that a link does not exist.
func IsMissing(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV)
}
