package dns

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	"golang.org/x/time/rate"
)

// reportInterval keeps a name server that is down from filling the log.
const reportInterval = 10 * time.Second

// reporter logs what handlers behind it fail with, and turns their panics into SERVFAIL.
type reporter struct {
	logger   *slog.Logger
	next     plugin.Handler
	interval rate.Sometimes
	unsaid   atomic.Int64
}

func newReporter(logger *slog.Logger, next plugin.Handler) *reporter {
	return &reporter{logger: logger, next: next, interval: rate.Sometimes{Interval: reportInterval}}
}

// Name implements plugin.Handler.
func (*reporter) Name() string { return "reporter" }

// ServeDNS implements plugin.Handler.
func (h *reporter) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (rcode int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			rcode, err = dns.RcodeServerFailure, fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
		if err != nil {
			h.report(r, err)
		}
	}()
	return h.next.ServeDNS(ctx, w, r)
}

func (h *reporter) report(r *dns.Msg, err error) {
	h.unsaid.Add(1)
	h.interval.Do(func() {
		question := r.Question[0]
		h.logger.Error("DNS query failed", "name", question.Name, "type", dns.TypeToString[question.Qtype],
			"error", err, "failedSinceLastReport", h.unsaid.Swap(0))
	})
}
