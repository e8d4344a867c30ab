package filter

import (
	"sync"

	"sandkube.dev/runtime/network/internal/policy"
)

// maxFlows bounds memory: about 100 bytes each.
const maxFlows = 1 << 16

// table decides about packets: the first of a flow by the rules, the others by what
// became of the first.
type table struct {
	mu        sync.Mutex
	rules     *policy.Rules
	flows     map[flowKey]*flow
	fragments map[fragmentKey]int64
}

type fragmentKey struct {
	source, destination address
	identification      uint16
	protocol            uint8
}

func newTable(rules *policy.Rules) *table {
	return &table{rules: rules, flows: map[flowKey]*flow{}, fragments: map[fragmentKey]int64{}}
}

// setRules judges all flows anew.
func (t *table) setRules(rules *policy.Rules) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = rules
	for key, flow := range t.flows {
		opening := key.opening(flow.clientLow)
		flow.denied = !rules.Allows(opening.flow())
	}
}

// admit says whether a packet may pass at a time in seconds.
func (t *table) admit(p *packet, now int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.first {
		return t.fragments[p.fragmentKey()] > now
	}
	if !t.admitFirst(p, now) {
		return false
	}
	if p.more {
		if len(t.fragments) >= maxFlows {
			clear(t.fragments)
		}
		t.fragments[p.fragmentKey()] = now + idleFragments
	}
	return true
}

func (t *table) admitFirst(p *packet, now int64) bool {
	if p.protocol == protocolICMP && p.kind != echoRequest && p.kind != echoReply {
		return isError(p.kind) && t.related(p, now)
	}
	key, fromLow := keyOf(p)
	known := t.flows[key]
	if known != nil && known.expires <= now {
		delete(t.flows, key)
		known = nil
	}
	if known == nil || opens(p) && (known.denied || known.over() || known.clientLow != fromLow) {
		opened := t.open(p, fromLow)
		if opened == nil {
			return false
		}
		t.insert(key, opened, now)
		known = opened
	}
	known.see(p, fromLow, now)
	return !known.denied
}

// open asks the rules about a flow that starts with p, or is first seen with it.
func (t *table) open(p *packet, fromLow bool) *flow {
	start := *p
	clientLow := fromLow
	if answers(p) {
		start = p.reversed()
		clientLow = !fromLow
	}
	if !t.rules.Allows(start.flow()) {
		return nil
	}
	return &flow{clientLow: clientLow, replied: p.protocol == protocolTCP && !opens(p)}
}

// opens says whether p is the first packet of a TCP connection.
func opens(p *packet) bool {
	return p.protocol == protocolTCP && p.flags&(flagSYN|flagACK) == flagSYN
}

// answers says whether p, of a flow that nothing is known of, comes from its server.
// For a TCP connection that is older than the filter only the ports tell: ephemeral
// ones are higher than those that servers listen on.
func answers(p *packet) bool {
	switch p.protocol {
	case protocolTCP:
		if p.flags&flagSYN != 0 {
			return p.flags&flagACK != 0
		}
		return p.sourcePort < p.destinationPort
	case protocolICMP:
		return p.kind == echoReply
	}
	return false
}

// related says whether an ICMP error is about a flow that passes here.
func (t *table) related(p *packet, now int64) bool {
	about, ok := quotedFlow(p.quoted)
	if !ok || about.source != p.destination {
		return false
	}
	key, _ := keyOf(&about)
	known := t.flows[key]
	return known != nil && known.expires > now && !known.denied
}

func (t *table) insert(key flowKey, opened *flow, now int64) {
	if len(t.flows) >= maxFlows {
		t.sweep(now)
	}
	if len(t.flows) >= maxFlows {
		// Any will do: one that is still in use is asked about anew.
		for victim := range t.flows {
			delete(t.flows, victim)
			break
		}
	}
	t.flows[key] = opened
}

// expire forgets what has not been seen for long.
func (t *table) expire(now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
}

func (t *table) sweep(now int64) {
	for key, flow := range t.flows {
		if flow.expires <= now {
			delete(t.flows, key)
		}
	}
	for key, expires := range t.fragments {
		if expires <= now {
			delete(t.fragments, key)
		}
	}
}

func (p *packet) fragmentKey() fragmentKey {
	return fragmentKey{source: p.source, destination: p.destination, identification: p.identification, protocol: p.protocol}
}
