package filter

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// reconcile filters the pods that are wanted, by address and link, and no others; with any
// of them, the Service proxy too.
func (f *Filter) reconcile(wanted, leases map[netip.Addr]string) error {
	if len(wanted) == 0 && len(f.members) == 0 && !f.leftovers {
		return nil
	}
	if f.wiring == nil {
		opened, err := openWiring(f.node, &f.config)
		if err != nil {
			return err
		}
		f.wiring = opened
	}
	if services := f.config.Services; services != nil && len(wanted) > 0 && !f.wiring.stuck {
		wanted[services.Address] = services.Name
	}
	main, err := f.node.link(f.config.Bridge)
	if err != nil {
		return err
	}
	var errs []error
	for address, member := range f.members {
		if wanted[address] != member.link || member.port.failed() != nil {
			errs = append(errs, member.port.failed(), f.takeOut(address, member, main, leases[address] == member.link))
		}
	}
	cleared := f.clear(wanted, leases, main)
	f.leftovers = cleared != nil
	errs = append(errs, cleared, f.renewTrunk(main, len(wanted) > 0))
	for address, link := range wanted {
		if f.members[address] == nil {
			errs = append(errs, f.putIn(address, link))
		}
	}
	return errors.Join(errs...)
}

// putIn filters a pod from now on.
func (f *Filter) putIn(pod netip.Addr, link string) error {
	own := address(pod.As4())
	port, err := f.wiring.insert(link, pod, func(frame []byte) { f.exchange.fromPod(own, frame) })
	if err != nil {
		f.leftovers = true
		if isMissing(err) {
			// The pod has ended meanwhile.
			return nil
		}
		return fmt.Errorf("filter the pod at %s: %w", pod, err)
	}
	f.exchange.addPort(own, port)
	f.members[pod] = &member{link: link, port: port}
	f.config.Logger.Debug("pod is filtered", "address", pod, "link", link)
	return nil
}

// takeOut stops filtering a pod, and plugs it into the pod bridge again if it is there.
func (f *Filter) takeOut(pod netip.Addr, leaving *member, main netlink.Link, there bool) error {
	if there {
		if err := f.wiring.moveOut(leaving.link, pod, main); err != nil && !isMissing(err) {
			return fmt.Errorf("stop filtering the pod at %s: %w", pod, err)
		}
	}
	f.exchange.removePort(pod.As4())
	delete(f.members, pod)
	f.stale = true
	f.config.Logger.Debug("pod is not filtered any more", "address", pod, "link", leaving.link)
	return leaving.port.close()
}

// clear removes from the annex what no pod that is filtered needs: little bridges, and
// links of pods that have ended.
func (f *Filter) clear(wanted, leases map[netip.Addr]string, main netlink.Link) error {
	present, err := f.wiring.annex.list()
	if err != nil {
		return err
	}
	needed, owners := map[string]bool{}, map[string]netip.Addr{}
	for _, link := range wanted {
		needed[link] = true
		needed[f.wiring.names.bridge(link)] = true
		needed[f.wiring.names.port(link)] = true
	}
	for pod, link := range leases {
		owners[f.wiring.names.bridge(link)] = pod
	}
	var errs []error
	for _, link := range present {
		name := link.Attrs().Name
		if needed[name] || !f.wiring.names.ours(name) {
			continue
		}
		if pod, found := owners[name]; found {
			if err := f.wiring.moveOut(leases[pod], pod, main); err != nil && !isMissing(err) {
				errs = append(errs, fmt.Errorf("plug the pod at %s into %s again: %w", pod, f.config.Bridge, err))
				continue
			}
		} else if leased(leases, name) {
			// It leaves with its little bridge.
			continue
		}
		errs = append(errs, f.wiring.annex.remove(name))
	}
	return errors.Join(errs...)
}

func leased(leases map[netip.Addr]string, link string) bool {
	for _, held := range leases {
		if held == link {
			return true
		}
	}
	return false
}

// renewTrunk makes the trunk if it is needed, or makes it anew if it must be forgotten.
func (f *Filter) renewTrunk(main netlink.Link, needed bool) error {
	if f.trunk != nil && (!needed || f.stale || f.trunk.failed() != nil) {
		f.exchange.setTrunk(nil)
		err := f.trunk.close()
		f.trunk = nil
		if err != nil {
			return err
		}
	}
	f.stale = false
	if f.trunk != nil || !needed {
		return nil
	}
	trunk, err := f.node.addTAP(f.wiring.names.trunk(), f.config.MTU, main, f.exchange.fromTrunk)
	if err != nil {
		return err
	}
	f.trunk = trunk
	f.exchange.setTrunk(trunk)
	return nil
}
