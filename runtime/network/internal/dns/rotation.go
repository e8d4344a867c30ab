package dns

import (
	"context"
	"math/rand/v2"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// rotation spreads clients that take the first address over all of them, as CoreDNS's
// loadbalance does.
type rotation struct {
	next plugin.Handler
}

// Name implements plugin.Handler.
func (rotation) Name() string { return "rotation" }

// ServeDNS implements plugin.Handler.
func (h rotation) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return h.next.ServeDNS(ctx, rotatingWriter{w}, r)
}

type rotatingWriter struct {
	dns.ResponseWriter
}

// WriteMsg shuffles the addresses of an answer among their places. All else keeps its
// place: a CNAME must come before what it leads to.
func (w rotatingWriter) WriteMsg(answer *dns.Msg) error {
	var places []int
	for i, record := range answer.Answer {
		switch record.Header().Rrtype {
		case dns.TypeA, dns.TypeAAAA:
			places = append(places, i)
		}
	}
	rand.Shuffle(len(places), func(i, j int) {
		a, b := places[i], places[j]
		answer.Answer[a], answer.Answer[b] = answer.Answer[b], answer.Answer[a]
	})
	return w.ResponseWriter.WriteMsg(answer)
}
