package dns

import (
	"context"
	"net/netip"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// negativeTTL is for how many seconds a client may remember that a name does not exist.
const negativeTTL = 30

// ownReverse answers that an address of the cluster has no name, when none was found for
// it. No other server knows better, and asking one would tell it the cluster's addresses.
type ownReverse struct {
	zones  plugin.Zones
	domain string
	next   plugin.Handler
}

func newOwnReverse(ranges []netip.Prefix, domain string, next plugin.Handler) *ownReverse {
	h := &ownReverse{domain: dns.Fqdn(domain), next: next}
	for _, prefix := range ranges {
		h.zones = append(h.zones, plugin.Host(prefix.Masked().String()).NormalizeExact()...)
	}
	return h
}

// Name implements plugin.Handler.
func (*ownReverse) Name() string { return "ownReverse" }

// ServeDNS implements plugin.Handler.
func (h *ownReverse) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	zone := h.zones.Matches(strings.ToLower(r.Question[0].Name))
	if zone == "" {
		return h.next.ServeDNS(ctx, w, r)
	}
	answer := new(dns.Msg).SetRcode(r, dns.RcodeNameError)
	answer.Authoritative = true
	answer.Ns = []dns.RR{&dns.SOA{
		Hdr:     dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: negativeTTL},
		Ns:      "ns.dns." + h.domain,
		Mbox:    "hostmaster." + h.domain,
		Serial:  1,
		Refresh: 7200,
		Retry:   1800,
		Expire:  86400,
		Minttl:  negativeTTL,
	}}
	return dns.RcodeNameError, w.WriteMsg(answer)
}

// nowhere stands for the names outside the cluster when there is no server to ask.
//
// It says NXDOMAIN, because musl takes no other code for a failure: it sends a query
// again after SERVFAIL, ignores REFUSED, and waits out its 5 seconds in both cases
// (src/network/res_msend.c). Both libraries go on to the next search domain after it.
// There is no SOA record, so nothing remembers the answer (RFC 2308, section 5).
type nowhere struct{}

// Name implements plugin.Handler.
func (nowhere) Name() string { return "nowhere" }

// ServeDNS implements plugin.Handler.
func (nowhere) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	answer := new(dns.Msg).SetRcode(r, dns.RcodeNameError)
	answer.RecursionAvailable = true
	return dns.RcodeNameError, w.WriteMsg(answer)
}
