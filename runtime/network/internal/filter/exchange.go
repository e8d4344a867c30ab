package filter

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"sync/atomic"
	"time"
)

// exchange passes frames between the pods that it filters, each behind a port of its
// own, and the trunk to all the rest.
type exchange struct {
	table *table
	// services is nil without virtual addresses.
	services *services
	// links is replaced as a whole, by one goroutine.
	links   atomic.Pointer[links]
	started time.Time
}

// services says which addresses are behind the port of one.
type services struct {
	address address
	within  netip.Prefix
}

// sender puts a frame on a link, and does not keep it.
type sender interface {
	send(frame []byte)
}

type links struct {
	// trunk is nil for a moment while it is made anew.
	trunk sender
	ports map[address]sender
}

func newExchange(table *table, link *ServiceLink) *exchange {
	made := &exchange{table: table, started: time.Now()}
	made.links.Store(&links{})
	if link != nil {
		made.services = &services{address: link.Address.As4(), within: link.Range}
	}
	return made
}

// home is the address of whoever has an address: its own, or the Service proxy's if it is
// a virtual one.
func (x *exchange) home(of address) address {
	if x.services != nil && x.services.within.Contains(netip.AddrFrom4(of)) {
		return x.services.address
	}
	return of
}

func (x *exchange) addPort(pod address, port sender) {
	x.change(func(to *links) { to.ports[pod] = port })
}

func (x *exchange) removePort(pod address) {
	x.change(func(to *links) { delete(to.ports, pod) })
}

func (x *exchange) setTrunk(trunk sender) {
	x.change(func(to *links) { to.trunk = trunk })
}

func (x *exchange) change(apply func(*links)) {
	before := x.links.Load()
	after := &links{trunk: before.trunk, ports: maps.Clone(before.ports)}
	if after.ports == nil {
		after.ports = map[address]sender{}
	}
	apply(after)
	x.links.Store(after)
}

// fromPod takes a frame that the pod with an address has sent. Only ARP and IPv4 pass,
// and only in the pod's own name: what policies do not speak of, like IPv6 or VLANs,
// would be a way around them.
func (x *exchange) fromPod(pod address, frame []byte) {
	payload, kind := split(frame)
	switch kind {
	case etherTypeARP:
		sender, target, ok := x.readARP(payload)
		if ok && (sender == pod || sender == address{}) {
			x.links.Load().sendARP(pod, sender, target, frame)
		}
	case etherTypeIPv4:
		p, ok := parse(payload)
		if !ok || x.home(p.source) != pod || p.destination.multicast() || !x.table.admit(&p, x.seconds()) {
			return
		}
		links := x.links.Load()
		if port := links.ports[x.home(p.destination)]; port != nil {
			port.send(frame)
			return
		}
		links.up(frame)
	}
}

// fromTrunk takes a frame from the bridge, which floods what it has not learnt: most
// are not for a pod here.
func (x *exchange) fromTrunk(frame []byte) {
	payload, kind := split(frame)
	links := x.links.Load()
	switch kind {
	case etherTypeARP:
		sender, target, ok := x.readARP(payload)
		if ok && links.ports[sender] == nil {
			links.deliverARP(sender, target, frame)
		}
	case etherTypeIPv4:
		if len(payload) < 20 {
			return
		}
		port := links.ports[x.home(address(payload[16:20]))]
		if port == nil {
			return
		}
		p, ok := parse(payload)
		// The pods that are filtered do not send by the bridge.
		if !ok || links.ports[x.home(p.source)] != nil || !x.table.admit(&p, x.seconds()) {
			return
		}
		port.send(frame)
	}
}

// seconds is a clock that never goes back.
func (x *exchange) seconds() int64 { return int64(time.Since(x.started) / time.Second) }

// sendARP sends a message of a pod to the one that it asks about or answers; an
// announcement (RFC 5227) to all.
func (l *links) sendARP(from, sender, target address, frame []byte) {
	if sender == target {
		for pod, port := range l.ports {
			if pod != from {
				port.send(frame)
			}
		}
		l.up(frame)
		return
	}
	if port := l.ports[target]; port != nil && target != from {
		port.send(frame)
		return
	}
	l.up(frame)
}

// deliverARP does the same for a message that comes by the trunk.
func (l *links) deliverARP(sender, target address, frame []byte) {
	if sender == target {
		for _, port := range l.ports {
			port.send(frame)
		}
		return
	}
	if port := l.ports[target]; port != nil {
		port.send(frame)
	}
}

func (l *links) up(frame []byte) {
	if l.trunk != nil {
		l.trunk.send(frame)
	}
}

func split(frame []byte) (payload []byte, etherType uint16) {
	if len(frame) < ethernetHeader {
		return nil, 0
	}
	return frame[ethernetHeader:], binary.BigEndian.Uint16(frame[12:])
}

// readARP reads whose an ARP message is, and whom it is for. The Service proxy may ask in
// the name of a virtual address.
func (x *exchange) readARP(data []byte) (sender, target address, ok bool) {
	sender, target, ok = parseARP(data)
	return x.home(sender), x.home(target), ok
}

// parseARP reads who sends an ARP message for IPv4 over Ethernet, and whom it is for.
func parseARP(data []byte) (sender, target address, ok bool) {
	if len(data) < 28 || binary.BigEndian.Uint16(data) != 1 || binary.BigEndian.Uint16(data[2:]) != etherTypeIPv4 ||
		data[4] != 6 || data[5] != 4 {
		return address{}, address{}, false
	}
	return address(data[14:18]), address(data[24:28]), true
}
