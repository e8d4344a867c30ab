package dns

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// memoryLimit bounds what 1,000 Services with 5,000 endpoints may take on the heap.
const memoryLimit = 15 << 20

func manyObjects() []kruntime.Object {
	objects := []kruntime.Object{namespace("default")}
	for i := range 1000 {
		name := fmt.Sprintf("service-%d", i)
		service := clusterService(name, fmt.Sprintf("10.43.%d.%d", i/250, i%250), httpPort())
		slice := sliceOf(name)
		for j := range 5 {
			slice.Endpoints = append(slice.Endpoints, endpoint(fmt.Sprintf("10.42.%d.%d", i/50, i%50*5+j), ""))
		}
		objects = append(objects, service, slice)
	}
	return objects
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestMemory(t *testing.T) {
	_, api := serveAPI(t, manyObjects()...)
	before := heap()
	address := start(t, api)
	query(t, "udp", address, "service-999.default.svc.cluster.local.", dns.TypeA)
	after := heap()
	t.Logf("%.1f MB", (float64(after)-float64(before))/(1<<20))
	if after > before+memoryLimit {
		t.Errorf("the heap grew by %d bytes, want at most %d", after-before, memoryLimit)
	}
}

// BenchmarkQuery asks for one Service among 1,000, one query at a time for each client.
func BenchmarkQuery(b *testing.B) {
	_, api := serveAPI(b, manyObjects()...)
	address := start(b, api, upstream(b, says("300 IN A 192.0.2.1")))
	for _, name := range []string{"service-500.default.svc.cluster.local.", "name.example."} {
		for _, network := range []string{"udp", "tcp"} {
			b.Run(network+"/"+name, func(b *testing.B) {
				client := dns.Client{Net: network}
				conn, err := client.Dial(address)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				question := new(dns.Msg).SetQuestion(name, dns.TypeA)
				var times []time.Duration
				for b.Loop() {
					_, taken, err := client.ExchangeWithConn(question, conn)
					if err != nil {
						b.Fatal(err)
					}
					times = append(times, taken)
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
	b.Run("udp/8-clients", func(b *testing.B) {
		question := new(dns.Msg).SetQuestion("service-500.default.svc.cluster.local.", dns.TypeA)
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			client := dns.Client{Net: "udp"}
			conn, err := client.Dial(address)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			for pb.Next() {
				if _, _, err := client.ExchangeWithConn(question, conn); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
	})
}
