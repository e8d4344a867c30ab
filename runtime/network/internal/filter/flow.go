package filter

import "bytes"

// Seconds after the last packet until a flow is forgotten. Linux' connection tracking
// has the same for UDP and for TCP that opens or closes; a connection at rest that is
// forgotten is only asked about anew.
const (
	idleOpening     = 120
	idleEstablished = 6 * 3600
	idleClosing     = 60
	idleDatagram    = 120
	idleFragments   = 30
)

// flowKey is the same for both directions of a flow.
type flowKey struct {
	low, high end
	protocol  uint8
}

type end struct {
	address address
	port    uint16
}

// flow is what is known of a flow. Times are in seconds.
type flow struct {
	// clientLow says that the client is the low end of the key.
	clientLow bool
	// denied marks a flow that was allowed before the rules changed. Without it, a packet
	// in the middle of the connection could pass for the start of an allowed one.
	denied  bool
	replied bool
	// finished has the ends that have sent FIN: 1 is the low one, 2 the high one.
	finished uint8
	reset    bool
	expires  int64
}

// see notes a packet of the flow.
func (f *flow) see(p *packet, fromLow bool, now int64) {
	if fromLow != f.clientLow {
		f.replied = true
	}
	if p.protocol != protocolTCP {
		f.expires = now + idleDatagram
		return
	}
	if p.flags&flagRST != 0 {
		f.reset = true
	}
	if p.flags&flagFIN != 0 {
		f.finished |= side(fromLow)
	}
	switch {
	case f.over():
		f.expires = now + idleClosing
	case f.replied:
		f.expires = now + idleEstablished
	default:
		f.expires = now + idleOpening
	}
}

func side(low bool) uint8 {
	if low {
		return 1
	}
	return 2
}

// over says that the connection has ended, so that its ports can be used again.
func (f *flow) over() bool { return f.reset || f.finished == 3 }

func keyOf(p *packet) (key flowKey, fromLow bool) {
	source, destination := end{p.source, p.sourcePort}, end{p.destination, p.destinationPort}
	if source.less(destination) {
		return flowKey{low: source, high: destination, protocol: p.protocol}, true
	}
	return flowKey{low: destination, high: source, protocol: p.protocol}, false
}

func (e end) less(other end) bool {
	if order := bytes.Compare(e.address[:], other.address[:]); order != 0 {
		return order < 0
	}
	return e.port < other.port
}

// opening is a packet that starts the flow.
func (k flowKey) opening(clientLow bool) packet {
	p := packet{
		protocol: k.protocol,
		source:   k.low.address, sourcePort: k.low.port,
		destination: k.high.address, destinationPort: k.high.port,
	}
	if clientLow {
		return p
	}
	return p.reversed()
}
