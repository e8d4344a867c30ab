package dns

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const (
	// forwardLimit is how long a query may take in all. The C libraries ask again after 5
	// seconds, so that a second query can still be answered.
	forwardLimit = 2 * time.Second
	// forwardRounds is how often each name server is asked, against lost packets.
	forwardRounds = 2
	// forwardQueries bounds how many queries wait for name servers at a time; it is
	// kubeadm's max_concurrent.
	forwardQueries = 1000
	// forwardTTL is for how many seconds an answer is remembered; it is kubeadm's cache.
	forwardTTL = 30
)

// forwarder asks the name servers of the sandbox. CoreDNS's own forward plugin exports
// neither the limit of a query nor that of dialling, which is 30 seconds there.
type forwarder struct {
	upstreams []string
	// preferred is the index of the server that answered last: one that is down is then
	// waited for once, not for each query.
	preferred atomic.Uint32
	slots     chan struct{}
}

func newForwarder(upstreams []string) *forwarder {
	return &forwarder{upstreams: upstreams, slots: make(chan struct{}, forwardQueries)}
}

// Name implements plugin.Handler.
func (*forwarder) Name() string { return "forwarder" }

// ServeDNS implements plugin.Handler. A failure is written, not left to the server, so
// that the cache sees it: RFC 9520 wants failures remembered for a moment.
func (f *forwarder) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	answer, failure := f.bounded(ctx, r)
	if failure != nil {
		answer = new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
	}
	answer.Id = r.Id
	limitTTL(answer)
	if err := w.WriteMsg(answer); err != nil {
		return dns.RcodeSuccess, fmt.Errorf("answer: %w", err)
	}
	return dns.RcodeSuccess, failure
}

// bounded is resolve within the bound on queries.
func (f *forwarder) bounded(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
		return f.resolve(ctx, query)
	default:
		return nil, fmt.Errorf("%d queries wait for name servers already", forwardQueries)
	}
}

// reply is what one name server says.
type reply struct {
	upstream int
	message  *dns.Msg
	err      error
}

// resolve asks one name server after the other, each when the one before it is late or
// has failed, and takes the first answer. An answer by which a server only says that it
// does not serve is taken when no other comes, as glibc does.
func (f *forwarder) resolve(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, forwardLimit)
	defer cancel()
	attempts := forwardRounds * len(f.upstreams)
	first := int(f.preferred.Load())
	replies := make(chan reply, attempts)
	late := time.NewTicker(forwardLimit / time.Duration(attempts))
	defer late.Stop()

	var refusal *dns.Msg
	var failures []error
	started, ended := 0, 0
	begin := func() {
		if started == attempts || (refusal != nil && started >= len(f.upstreams)) {
			return
		}
		upstream := (first + started) % len(f.upstreams)
		copied := query.Copy()
		started++
		go func() {
			message, err := ask(ctx, f.upstreams[upstream], copied)
			replies <- reply{upstream: upstream, message: message, err: err}
		}()
	}
	begin()
	for ended < started {
		select {
		case <-late.C:
			begin()
		case <-ctx.Done():
			return refusalOr(refusal, append(failures, fmt.Errorf("no name server answers: %w", ctx.Err())))
		case r := <-replies:
			ended++
			switch {
			case r.err != nil:
				failures = append(failures, r.err)
			case refused(r.message):
				refusal = r.message
			default:
				f.preferred.Store(uint32(r.upstream))
				return r.message, nil
			}
			begin()
		}
	}
	return refusalOr(refusal, failures)
}

// refused says whether a server only says that it does not serve.
func refused(answer *dns.Msg) bool {
	switch answer.Rcode {
	case dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeNotImplemented:
		return true
	}
	return false
}

func refusalOr(refusal *dns.Msg, failures []error) (*dns.Msg, error) {
	if refusal != nil {
		return refusal, nil
	}
	return nil, errors.Join(failures...)
}
