package ipam

import (
	"fmt"
	"net/netip"
	"slices"
)

// span is the part of a range that can be leased.
type span struct {
	prefix      netip.Prefix
	first, last netip.Addr
	reserved    []netip.Addr
}

func newSpan(prefix netip.Prefix, reserved []netip.Addr) (span, error) {
	prefix = prefix.Masked()
	if !prefix.Addr().Is4() {
		return span{}, fmt.Errorf("pod range %s is not an IPv4 range", prefix)
	}
	if prefix.Bits() > 30 {
		return span{}, fmt.Errorf("pod range %s has no room between its network and its broadcast address", prefix)
	}
	network := prefix.Addr().As4()
	broadcast := network
	for bit := prefix.Bits(); bit < 32; bit++ {
		broadcast[bit/8] |= 1 << (7 - bit%8)
	}
	return span{
		prefix:   prefix,
		first:    netip.AddrFrom4(network).Next(),
		last:     netip.AddrFrom4(broadcast).Prev(),
		reserved: reserved,
	}, nil
}

// next returns the first free address after the given one, going round at the end.
func (s span) next(after netip.Addr, leases map[netip.Addr]Owner) (netip.Addr, error) {
	candidate := s.following(after)
	for start := candidate; ; {
		if _, leased := leases[candidate]; !leased && !slices.Contains(s.reserved, candidate) {
			return candidate, nil
		}
		if candidate = s.following(candidate); candidate == start {
			return netip.Addr{}, &ExhaustedError{Range: s.prefix, InUse: len(leases)}
		}
	}
}

func (s span) following(address netip.Addr) netip.Addr {
	if next := address.Next(); next.Is4() && s.first.Compare(next) <= 0 && next.Compare(s.last) <= 0 {
		return next
	}
	return s.first
}
