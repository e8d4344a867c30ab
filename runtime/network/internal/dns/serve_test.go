package dns

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
	"k8s.io/client-go/rest"
)

// loopback opens the two sockets of a server at one port of 127.0.0.1.
func loopback(t testing.TB) (net.Listener, net.PacketConn) {
	t.Helper()
	for {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			return tcp, udp
		}
		_ = tcp.Close()
	}
}

// start runs the server until the test ends and returns its address once it is ready.
func start(t testing.TB, api *rest.Config, upstreams ...string) string {
	t.Helper()
	tcp, udp := loopback(t)
	config := Config{
		API:           api,
		ClusterDomain: "cluster.local",
		ClusterRanges: []netip.Prefix{netip.MustParsePrefix("10.43.0.0/16"), netip.MustParsePrefix("10.42.0.0/24")},
		TCP:           tcp,
		UDP:           udp,
		Upstreams:     upstreams,
		Logger:        slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	address := udp.LocalAddr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ready, result := make(chan struct{}), make(chan error, 1)
	go func() { result <- Run(ctx, config, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-result:
		t.Fatalf("Run: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-result; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return address
}

// query asks a server at address by one of its protocols.
func query(t testing.TB, network, address, name string, qtype uint16) *dns.Msg {
	t.Helper()
	client := dns.Client{Net: network, Timeout: 5 * forwardLimit}
	answer, _, err := client.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(name, qtype), address)
	if err != nil {
		t.Fatalf("%s %s %s: %v", network, name, dns.TypeToString[qtype], err)
	}
	return answer
}

// upstream serves handler as a name server outside the cluster and returns its address.
func upstream(t testing.TB, handler dns.HandlerFunc) string {
	t.Helper()
	tcp, udp := loopback(t)
	for _, server := range []*dns.Server{{Listener: tcp, Handler: handler}, {PacketConn: udp, Handler: handler}} {
		started, ended := make(chan struct{}), make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(ended)
			_ = server.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			_ = server.Shutdown()
			<-ended
		})
	}
	return udp.LocalAddr().String()
}

// says answers every query with one record.
func says(record string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		answer := new(dns.Msg).SetReply(r)
		rr, err := dns.NewRR(r.Question[0].Name + " " + record)
		if err != nil {
			panic(err)
		}
		answer.Answer = []dns.RR{rr}
		_ = w.WriteMsg(answer)
	}
}

// code answers every query with a response code alone.
func code(rcode int) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(r, rcode))
	}
}
