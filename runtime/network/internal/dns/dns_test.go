package dns

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

func objects() []runtime.Object {
	headless := clusterService("db", "None", httpPort())
	return []runtime.Object{
		namespace("default"), namespace("kube-system"),
		clusterService("web", "10.43.7.7", httpPort()),
		sliceOf("web", endpoint("10.42.0.20", "")),
		headless,
		sliceOf("db", endpoint("10.42.0.21", "db-0"), endpoint("10.42.0.22", "")),
		externalName("away", "example.org"), externalName("alias", "web.default.svc.cluster.local"),
	}
}

func TestClusterNames(t *testing.T) {
	_, api := serveAPI(t, objects()...)
	address := start(t, api, upstream(t, says("300 IN A 192.0.2.1")))
	for _, test := range []struct {
		name  string
		qtype uint16
		rcode int
		// want are the data of the answer's records, in any order.
		want []string
		// soa: the answer says for how long it may be remembered that there is nothing.
		soa bool
	}{
		{name: "web.default.svc.cluster.local.", qtype: dns.TypeA, want: []string{"10.43.7.7"}},
		{name: "WEB.default.svc.Cluster.Local.", qtype: dns.TypeA, want: []string{"10.43.7.7"}},
		{name: "web.default.svc.cluster.local.", qtype: dns.TypeAAAA, soa: true},
		{name: "web.default.svc.cluster.local.", qtype: dns.TypeMX, want: nil, soa: true},
		{name: "_http._tcp.web.default.svc.cluster.local.", qtype: dns.TypeSRV, want: []string{
			"0 100 80 web.default.svc.cluster.local."}},
		{name: "7.7.43.10.in-addr.arpa.", qtype: dns.TypePTR, want: []string{"web.default.svc.cluster.local."}},
		{name: "db.default.svc.cluster.local.", qtype: dns.TypeA, want: []string{"10.42.0.21", "10.42.0.22"}},
		{name: "db-0.db.default.svc.cluster.local.", qtype: dns.TypeA, want: []string{"10.42.0.21"}},
		{name: "10-42-0-22.db.default.svc.cluster.local.", qtype: dns.TypeA, want: []string{"10.42.0.22"}},
		{name: "_http._tcp.db.default.svc.cluster.local.", qtype: dns.TypeSRV, want: []string{
			"0 50 8080 10-42-0-22.db.default.svc.cluster.local.", "0 50 8080 db-0.db.default.svc.cluster.local."}},
		{name: "21.0.42.10.in-addr.arpa.", qtype: dns.TypePTR, want: []string{"db-0.db.default.svc.cluster.local."}},
		{name: "10-42-0-9.default.pod.cluster.local.", qtype: dns.TypeA, want: []string{"10.42.0.9"}},
		{name: "away.default.svc.cluster.local.", qtype: dns.TypeCNAME, want: []string{"example.org."}},
		{name: "away.default.svc.cluster.local.", qtype: dns.TypeA, want: []string{"192.0.2.1", "example.org."}},
		{name: "alias.default.svc.cluster.local.", qtype: dns.TypeA, want: []string{
			"10.43.7.7", "web.default.svc.cluster.local."}},
		{name: "dns-version.cluster.local.", qtype: dns.TypeTXT, want: []string{`"1.1.0"`}},
		{name: "svc.cluster.local.", qtype: dns.TypeA, soa: true},
		{name: "none.default.svc.cluster.local.", qtype: dns.TypeA, rcode: dns.RcodeNameError, soa: true},
		{name: "web.nowhere.svc.cluster.local.", qtype: dns.TypeA, rcode: dns.RcodeNameError, soa: true},
		{name: "example.org.default.svc.cluster.local.", qtype: dns.TypeA, rcode: dns.RcodeNameError, soa: true},
		{name: "99.0.42.10.in-addr.arpa.", qtype: dns.TypePTR, rcode: dns.RcodeNameError, soa: true},
		{name: "9.9.43.10.in-addr.arpa.", qtype: dns.TypePTR, rcode: dns.RcodeNameError, soa: true},
	} {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(network+" "+test.name+" "+dns.TypeToString[test.qtype], func(t *testing.T) {
				answer := query(t, network, address, test.name, test.qtype)
				if answer.Rcode != test.rcode {
					t.Errorf("code %s, want %s", dns.RcodeToString[answer.Rcode], dns.RcodeToString[test.rcode])
				}
				if got := data(answer.Answer); !slices.Equal(got, test.want) {
					t.Errorf("answer %q, want %q", got, test.want)
				}
				hasSOA := len(answer.Ns) == 1 && answer.Ns[0].Header().Rrtype == dns.TypeSOA
				if hasSOA != test.soa {
					t.Errorf("authority %v, want an SOA record: %t", answer.Ns, test.soa)
				}
				for _, record := range slices.Concat(answer.Answer, answer.Ns) {
					if ttl := record.Header().Ttl; ttl != 30 && test.qtype != dns.TypeTXT {
						t.Errorf("%s: TTL %d, want 30", record, ttl)
					}
				}
			})
		}
	}
}

func data(records []dns.RR) []string {
	var result []string
	for _, record := range records {
		result = append(result, strings.TrimPrefix(record.String(), record.Header().String()))
	}
	slices.Sort(result)
	return result
}

func TestNewServiceIsSeen(t *testing.T) {
	source, api := serveAPI(t, objects()...)
	address := start(t, api)
	const name = "late.default.svc.cluster.local."
	if answer := query(t, "udp", address, name, dns.TypeA); answer.Rcode != dns.RcodeNameError {
		t.Fatalf("before: %s", answer)
	}
	source.add(t, clusterService("late", "10.43.8.8", httpPort()))
	for {
		answer := query(t, "udp", address, name, dns.TypeA)
		if answer.Rcode == dns.RcodeSuccess {
			if got := data(answer.Answer); !slices.Equal(got, []string{"10.43.8.8"}) {
				t.Fatalf("after: %q", got)
			}
			return
		}
	}
}

func TestAddressesRotate(t *testing.T) {
	_, api := serveAPI(t, objects()...)
	address := start(t, api)
	first := map[string]bool{}
	// That one of two addresses comes first 100 times in a row happens once in 2^99 runs.
	for range 100 {
		answer := query(t, "udp", address, "db.default.svc.cluster.local.", dns.TypeA)
		first[answer.Answer[0].(*dns.A).A.String()] = true
	}
	if len(first) != 2 {
		t.Errorf("first addresses %v, want both", first)
	}
}

func TestRunRejects(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string
		loop   bool
	}{
		{"a loop", func(c *Config) { c.Upstreams = []string{c.UDP.LocalAddr().String()} }, "itself", true},
		{"a name as a name server", func(c *Config) { c.Upstreams = []string{"dns.example"} }, "dns.example", false},
		{"a domain that is none", func(c *Config) { c.ClusterDomain = "cluster local {" }, "cluster local", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			tcp, udp := loopback(t)
			config := Config{
				API: &rest.Config{}, ClusterDomain: "cluster.local", TCP: tcp, UDP: udp, Logger: slog.New(slog.DiscardHandler),
			}
			test.change(&config)
			err := Run(t.Context(), config, func() { t.Error("ready was called") })
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrLoop) != test.loop {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
			if _, err := udp.WriteTo(nil, udp.LocalAddr()); err == nil {
				t.Error("the socket is still open")
			}
		})
	}
}

func TestRunEndsWhileTheAPIIsDown(t *testing.T) {
	tcp, udp := loopback(t)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		result <- Run(ctx, Config{
			API: &rest.Config{Host: "http://127.0.0.1:1"}, ClusterDomain: "cluster.local", TCP: tcp, UDP: udp,
			Logger: slog.New(slog.DiscardHandler),
		}, func() { t.Error("ready was called") })
	}()
	cancel()
	if err := <-result; err != nil {
		t.Errorf("Run: %v", err)
	}
}
