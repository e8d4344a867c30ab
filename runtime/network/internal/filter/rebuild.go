package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
)

// blueprint is all that is needed to make a pod's link anew. It lies on disk from
// before the old one is deleted until the new one is complete.
type blueprint struct {
	Link      string           `json:"link"`
	Namespace string           `json:"namespace"`
	Peer      string           `json:"peer"`
	Hardware  net.HardwareAddr `json:"hardware"`
	Addresses []*net.IPNet     `json:"addresses"`
	Routes    []route          `json:"routes"`
}

type route struct {
	// Destination is nil for the default route.
	Destination *net.IPNet `json:"destination"`
	Gateway     net.IP     `json:"gateway"`
}

const blueprintSuffix = ".link.json"

func (w *wiring) blueprintPath(link string) string {
	return filepath.Join(w.directory, link+blueprintSuffix)
}

func (w *wiring) blueprints() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(w.directory, "*"+blueprintSuffix))
	if err != nil {
		return nil, fmt.Errorf("links to be made: %w", err)
	}
	return paths, nil
}

// rebuild replaces a pod's link by a new one that is a port of another bridge: the one
// way off a bridge where ports never leave. The pod loses its connections.
func (w *wiring) rebuild(name string, pod netip.Addr, in *space, bridge netlink.Link) error {
	plan, err := w.note(name, pod)
	if err != nil {
		return err
	}
	return w.construct(plan, in, bridge)
}

// note writes the blueprint of a pod's link. From then on, whoever comes next makes it.
func (w *wiring) note(name string, pod netip.Addr) (*blueprint, error) {
	plan, err := w.draw(name, pod)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(plan)
	if err != nil {
		return nil, fmt.Errorf("encode the link of the pod at %s: %w", pod, err)
	}
	path := w.blueprintPath(name)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return nil, fmt.Errorf("note the link of the pod at %s: %w", pod, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, fmt.Errorf("note the link of the pod at %s: %w", pod, err)
	}
	return plan, nil
}

// draw reads the blueprint from the pod's network namespace.
func (w *wiring) draw(name string, pod netip.Addr) (*blueprint, error) {
	directories, err := w.namespaces()
	if err != nil {
		return nil, err
	}
	for _, directory := range directories {
		entries, err := os.ReadDir(directory)
		if err != nil {
			// It may be another node's that ends just now.
			w.logger.Debug("network namespaces can not be read", "path", directory, "err", err)
			continue
		}
		for _, entry := range entries {
			plan := &blueprint{Link: name, Namespace: filepath.Join(directory, entry.Name())}
			found, err := plan.read(pod)
			if err != nil {
				// It may be another pod's that ends just now.
				w.logger.Debug("network namespace can not be read", "path", plan.Namespace, "err", err)
				continue
			}
			if found {
				return plan, nil
			}
		}
	}
	return nil, fmt.Errorf("no network namespace in %s has the address %s", strings.Join(directories, ", "), pod)
}

// read fills in the link that has the pod's address, and is false if there is none.
func (b *blueprint) read(pod netip.Addr) (found bool, err error) {
	inside, err := spaceOn(b.Namespace)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, inside.close()) }()
	all, err := inside.list()
	if err != nil {
		return false, fmt.Errorf("%s: %w", b.Namespace, err)
	}
	for _, link := range all {
		addresses, err := inside.links.AddrList(link, netlink.FAMILY_V4)
		if err != nil {
			return false, fmt.Errorf("addresses of %s in %s: %w", link.Attrs().Name, b.Namespace, err)
		}
		for _, held := range addresses {
			if held.IP.Equal(pod.AsSlice()) {
				return true, b.fill(inside.links, link, addresses)
			}
		}
	}
	return false, nil
}

func (b *blueprint) fill(links *netlink.Handle, link netlink.Link, addresses []netlink.Addr) error {
	b.Peer, b.Hardware = link.Attrs().Name, link.Attrs().HardwareAddr
	for _, held := range addresses {
		b.Addresses = append(b.Addresses, held.IPNet)
	}
	routes, err := links.RouteList(link, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("routes of %s in %s: %w", b.Peer, b.Namespace, err)
	}
	for _, existing := range routes {
		// The route to the neighbours comes with the address.
		if existing.Gw != nil {
			b.Routes = append(b.Routes, route{Destination: existing.Dst, Gateway: existing.Gw})
		}
	}
	return nil
}

// construct can be repeated, wherever an earlier call was cut short.
func (w *wiring) construct(plan *blueprint, in *space, bridge netlink.Link) error {
	if err := errors.Join(w.node.remove(plan.Link), w.annex.remove(plan.Link)); err != nil {
		return err
	}
	err := plan.make(in, bridge, w.mtu)
	if err != nil {
		return fmt.Errorf("link %s anew: %w", plan.Link, err)
	}
	if err := os.Remove(w.blueprintPath(plan.Link)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the link %s: %w", plan.Link, err)
	}
	return nil
}

func (b *blueprint) make(in *space, bridge netlink.Link, mtu int) (err error) {
	inside, err := spaceOn(b.Namespace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inside.close()) }()
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU = b.Link, mtu
	pair := &netlink.Veth{
		LinkAttrs: attributes, PeerName: b.Peer, PeerNamespace: netlink.NsFd(inside.descriptor),
		PeerTxQLen: -1, PeerHardwareAddr: b.Hardware,
	}
	if err := in.links.LinkAdd(pair); err != nil {
		return fmt.Errorf("make veth pair: %w", err)
	}
	if err := in.plug(b.Link, bridge); err != nil {
		return err
	}
	return b.configure(inside.links)
}

func (b *blueprint) configure(links *netlink.Handle) error {
	link, err := links.LinkByName(b.Peer)
	if err != nil {
		return fmt.Errorf("look up %s in the pod: %w", b.Peer, err)
	}
	for _, address := range b.Addresses {
		if err := links.AddrAdd(link, &netlink.Addr{IPNet: address}); err != nil {
			return fmt.Errorf("give %s the address %s: %w", b.Peer, address, err)
		}
	}
	if err := links.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s in the pod up: %w", b.Peer, err)
	}
	for _, planned := range b.Routes {
		added := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: planned.Destination, Gw: planned.Gateway}
		if err := links.RouteAdd(added); err != nil {
			return fmt.Errorf("route of the pod by %s: %w", planned.Gateway, err)
		}
	}
	return nil
}

// resume completes the links that an earlier process was about to make. Each becomes a
// port of the pod's little bridge, from where it goes on.
func (w *wiring) resume() error {
	paths, err := w.blueprints()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, w.resumeOne(path))
	}
	return errors.Join(errs...)
}

func (w *wiring) resumeOne(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("link to be made: %w", err)
	}
	var plan blueprint
	if err := json.Unmarshal(data, &plan); err != nil {
		return fmt.Errorf("link to be made, %s: %w", path, err)
	}
	if _, err := os.Stat(plan.Namespace); errors.Is(err, fs.ErrNotExist) {
		// The pod has ended meanwhile.
		return os.Remove(path)
	}
	bridge, err := w.annex.addBridge(w.names.bridge(plan.Link), w.mtu)
	if err != nil {
		return err
	}
	return w.construct(&plan, w.annex.space, bridge)
}
