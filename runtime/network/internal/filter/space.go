package filter

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// space is a network namespace to make links in.
type space struct {
	descriptor netns.NsHandle
	links      *netlink.Handle
}

// spaceAt takes the descriptor over, even when it fails.
func spaceAt(descriptor netns.NsHandle) (*space, error) {
	links, err := netlink.NewHandleAt(descriptor, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rtnetlink socket: %w", err), descriptor.Close())
	}
	return &space{descriptor: descriptor, links: links}, nil
}

// currentSpace is the namespace of the process.
func currentSpace() (*space, error) {
	descriptor, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("open the network namespace: %w", err)
	}
	return spaceAt(descriptor)
}

func (s *space) close() error {
	s.links.Close()
	return s.descriptor.Close()
}

// do calls work on a thread that is in the namespace.
func (s *space) do(work func() error) error {
	done := make(chan error)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine.
		runtime.LockOSThread()
		if err := netns.Set(s.descriptor); err != nil {
			done <- fmt.Errorf("enter a network namespace: %w", err)
			return
		}
		done <- work()
	}()
	return <-done
}

// isMissing says whether an error means that a link does not exist.
func isMissing(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV)
}

func (s *space) link(name string) (netlink.Link, error) {
	link, err := s.links.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("look up link %s: %w", name, err)
	}
	return link, nil
}

func (s *space) list() ([]netlink.Link, error) {
	links, err := s.links.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	return links, nil
}

// remove deletes a link; it is no error if there is none.
func (s *space) remove(name string) error {
	link, err := s.link(name)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.links.LinkDel(link); err != nil && !isMissing(err) {
		return fmt.Errorf("delete link %s: %w", name, err)
	}
	return nil
}

// addBridge makes a bridge, or finds one that is left.
func (s *space) addBridge(name string, mtu int) (netlink.Link, error) {
	// gVisor lets two links have one name.
	found, err := s.link(name)
	if err == nil || !isMissing(err) {
		return found, err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	attributes.MTU = mtu
	if err := s.links.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		return nil, fmt.Errorf("make bridge %s: %w", name, err)
	}
	made, err := s.link(name)
	if err != nil {
		return nil, err
	}
	if err := s.links.LinkSetUp(made); err != nil {
		return nil, fmt.Errorf("set %s up: %w", name, err)
	}
	return made, nil
}

// plug makes a link a port of a bridge.
func (s *space) plug(name string, bridge netlink.Link) error {
	link, err := s.link(name)
	if err != nil {
		return err
	}
	if err := s.links.LinkSetMaster(link, bridge); err != nil {
		return fmt.Errorf("plug %s into %s: %w", name, bridge.Attrs().Name, err)
	}
	if err := s.links.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// addTAP makes a TAP that is a port of a bridge.
func (s *space) addTAP(name string, mtu int, bridge netlink.Link, receive func([]byte)) (*tap, error) {
	var made *tap
	err := s.do(func() (err error) {
		made, err = openTAP(name, frameSize(mtu), receive)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.plugTAP(name, mtu, bridge); err != nil {
		return nil, errors.Join(err, made.close())
	}
	return made, nil
}

func (s *space) plugTAP(name string, mtu int, bridge netlink.Link) error {
	link, err := s.link(name)
	if err != nil {
		return err
	}
	// A TAP of gVisor takes frames of any length, and some can not be given an MTU.
	if err := s.links.LinkSetMTU(link, mtu); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("set the MTU of %s to %d bytes: %w", name, mtu, err)
	}
	return s.plug(name, bridge)
}

// frameSize is the longest frame: a VLAN tag more than the MTU and the header.
func frameSize(mtu int) int { return mtu + ethernetHeader + 4 }
