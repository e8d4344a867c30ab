package filter

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// wiring moves the links of pods between the pod bridge and little bridges.
type wiring struct {
	node  *space
	annex *annex
	names names
	mtu   int
	// directory is where blueprints are kept.
	directory string
	// namespaces returns the directories with the network namespaces of the pods.
	namespaces func() ([]string, error)
	logger     *slog.Logger
	// stuck says that a port never leaves its bridge (gVisor of 2024-07): a pod's link
	// has to be made anew instead, and the pod loses its connections.
	stuck bool
}

// openWiring finds out how the kernel behaves, and completes what an earlier process
// was about to do when it was killed.
func openWiring(node *space, config *Config) (*wiring, error) {
	annex, err := openAnnex(config.Directory)
	if err != nil {
		return nil, err
	}
	opened := &wiring{
		node: node, annex: annex, names: newNames(config.Bridge, config.serviceLink()), mtu: config.MTU,
		directory: config.Directory, namespaces: config.Namespaces, logger: config.Logger,
	}
	if config.Services != nil {
		// That of an earlier process leads to a network namespace that ended with it.
		if err := annex.remove(config.Services.Name); err != nil {
			return nil, errors.Join(err, annex.close())
		}
	}
	if opened.stuck, err = opened.portsStick(); err != nil {
		return nil, errors.Join(fmt.Errorf("find out how bridges behave: %w", err), annex.close())
	}
	if err := opened.resume(); err != nil {
		return nil, errors.Join(err, annex.close())
	}
	return opened, nil
}

// portsStick tries whether a port says which bridge is its. In gVisor, that came with
// leaving the bridge when moving to another network namespace.
func (w *wiring) portsStick() (stick bool, err error) {
	bridge, err := w.annex.addBridge(w.names.probe("b"), w.mtu)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.annex.remove(bridge.Attrs().Name)) }()
	port, err := w.annex.addTAP(w.names.probe("t"), w.mtu, bridge, func([]byte) {})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, port.close()) }()
	link, err := w.annex.link(port.name)
	if err != nil {
		return false, err
	}
	return link.Attrs().MasterIndex != bridge.Attrs().Index, nil
}

// insert moves a pod's link to a little bridge with a TAP. The error is that of a
// missing link if the pod has ended.
func (w *wiring) insert(link string, pod netip.Addr, receive func([]byte)) (*tap, error) {
	bridge, err := w.annex.addBridge(w.names.bridge(link), w.mtu)
	if err != nil {
		return nil, err
	}
	port, err := w.annex.addTAP(w.names.port(link), w.mtu, bridge, receive)
	if err != nil {
		return nil, err
	}
	if err := w.moveIn(link, pod, bridge); err != nil {
		return nil, errors.Join(err, port.close())
	}
	return port, nil
}

func (w *wiring) moveIn(name string, pod netip.Addr, bridge netlink.Link) error {
	there, err := w.annex.link(name)
	switch {
	case err == nil && w.stuck:
		// It was made as a port of the little bridge.
		return nil
	case err == nil:
		if there.Attrs().MasterIndex == bridge.Attrs().Index {
			return nil
		}
		return w.annex.plug(name, bridge)
	case !isMissing(err):
		return err
	}
	here, err := w.node.link(name)
	if err != nil {
		return err
	}
	if w.stuck {
		return w.rebuild(name, pod, w.annex.space, bridge)
	}
	if err := w.node.links.LinkSetNsFd(here, int(w.annex.descriptor)); err != nil {
		return fmt.Errorf("move %s to the filter's network namespace: %w", name, err)
	}
	return w.annex.plug(name, bridge)
}

// moveOut plugs a pod's link into the pod bridge again, wherever it is.
func (w *wiring) moveOut(name string, pod netip.Addr, bridge netlink.Link) error {
	there, err := w.annex.link(name)
	if isMissing(err) {
		return w.plugAgain(name, bridge)
	}
	if err != nil {
		return err
	}
	if w.stuck {
		return w.rebuild(name, pod, w.node, bridge)
	}
	if err := w.annex.links.LinkSetNsFd(there, int(w.node.descriptor)); err != nil {
		return fmt.Errorf("move %s to the node's network namespace: %w", name, err)
	}
	return w.node.plug(name, bridge)
}

// plugAgain plugs in a link that is back already, but perhaps a port of no bridge.
func (w *wiring) plugAgain(name string, bridge netlink.Link) error {
	here, err := w.node.link(name)
	if err != nil {
		return err
	}
	if w.stuck || here.Attrs().MasterIndex == bridge.Attrs().Index {
		return nil
	}
	return w.node.plug(name, bridge)
}
