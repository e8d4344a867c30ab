package dns

import (
	"context"
	"fmt"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// readBytes is room for servers that send more than they were told to.
const readBytes = 4096

// ask sends query to a name server by UDP, and by TCP when the answer does not fit.
// It may change query. It ends when ctx is done.
func ask(ctx context.Context, upstream string, query *dns.Msg) (*dns.Msg, error) {
	query.Id = dns.Id()
	answer, err := exchange(ctx, "udp", upstream, query)
	if err != nil || !answer.Truncated {
		return answer, err
	}
	if whole, err := exchange(ctx, "tcp", upstream, query); err == nil {
		return whole, nil
	}
	// A part of the answer is of use, and the client can see that it is one.
	return answer, nil
}

func exchange(ctx context.Context, network, upstream string, query *dns.Msg) (*dns.Msg, error) {
	client := dns.Client{Net: network, Timeout: forwardLimit, UDPSize: readBytes}
	conn, err := client.DialContext(ctx, upstream)
	if err != nil {
		return nil, fmt.Errorf("name server %s: %w", upstream, err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()

	answer, _, err := client.ExchangeWithConnContext(ctx, query, conn)
	if err != nil {
		return nil, fmt.Errorf("name server %s: %w", upstream, err)
	}
	if asked := (&request.Request{Req: query}); !asked.Match(answer) {
		return nil, fmt.Errorf("name server %s: it answers another question", upstream)
	}
	return answer, nil
}

// limitTTL keeps the cache and the client from remembering an answer for longer than
// forwardTTL: names that a person changes while working are seen soon.
func limitTTL(answer *dns.Msg) {
	for _, section := range [][]dns.RR{answer.Answer, answer.Ns, answer.Extra} {
		for _, record := range section {
			header := record.Header()
			// OPT keeps flags in the place of the TTL (RFC 6891, section 6.1.3).
			if header.Rrtype != dns.TypeOPT {
				header.Ttl = min(header.Ttl, forwardTTL)
			}
		}
	}
}
