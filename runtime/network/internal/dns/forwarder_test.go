package dns

import (
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// silent returns the address of a name server that never answers.
func silent(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	return socket.LocalAddr().String()
}

// absent returns an address at which nobody listens.
func absent(t *testing.T) string {
	t.Helper()
	tcp, udp := loopback(t)
	_, _ = tcp.Close(), udp.Close()
	return udp.LocalAddr().String()
}

func TestForwarding(t *testing.T) {
	good := says("300 IN A 192.0.2.1")
	for _, test := range []struct {
		name      string
		upstreams func(t *testing.T) []string
		rcode     int
		want      []string
	}{
		{"no server", func(*testing.T) []string { return nil }, dns.RcodeNameError, nil},
		{"one server", func(t *testing.T) []string { return []string{upstream(t, good)} }, 0, []string{"192.0.2.1"}},
		{"the first is absent", func(t *testing.T) []string {
			return []string{absent(t), upstream(t, good)}
		}, 0, []string{"192.0.2.1"}},
		{"the first is silent", func(t *testing.T) []string {
			return []string{silent(t), upstream(t, good)}
		}, 0, []string{"192.0.2.1"}},
		{"the first refuses", func(t *testing.T) []string {
			return []string{upstream(t, code(dns.RcodeRefused)), upstream(t, good)}
		}, 0, []string{"192.0.2.1"}},
		{"the first says no", func(t *testing.T) []string {
			return []string{upstream(t, code(dns.RcodeNameError)), upstream(t, good)}
		}, dns.RcodeNameError, nil},
		{"all refuse", func(t *testing.T) []string {
			return []string{upstream(t, code(dns.RcodeRefused)), upstream(t, code(dns.RcodeRefused))}
		}, dns.RcodeRefused, nil},
		{"all are absent", func(t *testing.T) []string { return []string{absent(t)} }, dns.RcodeServerFailure, nil},
		{"all are silent", func(t *testing.T) []string { return []string{silent(t)} }, dns.RcodeServerFailure, nil},
		{"another question is answered", func(t *testing.T) []string {
			return []string{upstream(t, func(w dns.ResponseWriter, r *dns.Msg) {
				other := new(dns.Msg).SetReply(r)
				other.Question[0].Name = "other.example."
				_ = w.WriteMsg(other)
			})}
		}, dns.RcodeServerFailure, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, api := serveAPI(t)
			address := start(t, api, test.upstreams(t)...)
			answer := query(t, "udp", address, "name.example.", dns.TypeA)
			if got := data(answer.Answer); answer.Rcode != test.rcode || !slices.Equal(got, test.want) {
				t.Errorf("%s %q, want %s %q",
					dns.RcodeToString[answer.Rcode], got, dns.RcodeToString[test.rcode], test.want)
			}
			for _, record := range answer.Answer {
				if record.Header().Ttl > forwardTTL {
					t.Errorf("%s: may be remembered for more than %d s", record, forwardTTL)
				}
			}
		})
	}
}

func TestForwardedNamesAreRemembered(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler dns.HandlerFunc
		// asked is how often the server outside sees two queries for one name.
		asked int32
	}{
		{"an answer", says("300 IN A 192.0.2.1"), 1},
		{"an absent name", func(w dns.ResponseWriter, r *dns.Msg) {
			answer := new(dns.Msg).SetRcode(r, dns.RcodeNameError)
			soa, err := dns.NewRR("example. 300 IN SOA ns.example. root.example. 1 2 3 4 300")
			if err != nil {
				panic(err)
			}
			answer.Ns = []dns.RR{soa}
			_ = w.WriteMsg(answer)
		}, 1},
		{"a failure", code(dns.RcodeServerFailure), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int32
			_, api := serveAPI(t)
			address := start(t, api, upstream(t, func(w dns.ResponseWriter, r *dns.Msg) {
				asked.Add(1)
				test.handler(w, r)
			}))
			for range 2 {
				query(t, "udp", address, "name.example.", dns.TypeA)
			}
			if got := asked.Load(); got != test.asked {
				t.Errorf("the server outside was asked %d times, want %d", got, test.asked)
			}
		})
	}
}

// An answer that does not fit a datagram is fetched by TCP, cut for a client that asks
// by UDP, and whole for one that asks by TCP.
func TestLargeAnswer(t *testing.T) {
	_, api := serveAPI(t)
	address := start(t, api, upstream(t, func(w dns.ResponseWriter, r *dns.Msg) {
		answer := new(dns.Msg).SetReply(r)
		for i := range 100 {
			rr, err := dns.NewRR(fmt.Sprintf("%s 300 IN A 192.0.2.%d", r.Question[0].Name, i))
			if err != nil {
				panic(err)
			}
			answer.Answer = append(answer.Answer, rr)
		}
		if w.RemoteAddr().Network() == "udp" {
			answer.Truncate(dns.MinMsgSize)
		}
		_ = w.WriteMsg(answer)
	}))
	if answer := query(t, "udp", address, "large.example.", dns.TypeA); !answer.Truncated {
		t.Errorf("by UDP: %d records and not truncated", len(answer.Answer))
	}
	if answer := query(t, "tcp", address, "large.example.", dns.TypeA); len(answer.Answer) != 100 {
		t.Errorf("by TCP: %d records, want 100", len(answer.Answer))
	}
}
