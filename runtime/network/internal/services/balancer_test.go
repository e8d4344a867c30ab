package services

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func newPort(name string, affinity time.Duration, endpoints ...string) *Port {
	port := &Port{
		Name:     PortName{types.NamespacedName{Namespace: "default", Name: name}, "", v1.ProtocolTCP},
		Affinity: affinity,
	}
	for _, endpoint := range endpoints {
		port.Internal = append(port.Internal, Endpoint{netip.MustParseAddrPort(endpoint)})
	}
	port.External = port.Internal
	return port
}

// manyEndpoints make it impossible that a client stays with one by chance.
func manyEndpoints() []string {
	var texts []string
	for i := range 200 {
		texts = append(texts, fmt.Sprintf("10.42.0.%d:80", i+10))
	}
	return texts
}

var client = netip.MustParseAddr("10.42.0.9")

// pickAll picks often enough that an endpoint stays out only when it is never picked.
func pickAll(b *Balancer, port *Port, external bool) map[string]int {
	picked := map[string]int{}
	for range 3000 {
		if endpoint, ok := b.Pick(port, Origin{External: external}, client); ok {
			picked[endpoint.Address.String()]++
		}
	}
	return picked
}

func TestPickSpreads(t *testing.T) {
	port := newPort("a", 0, "10.42.0.3:80", "10.42.0.4:80", "10.42.0.5:80")
	port.External = port.Internal[:1]
	b := NewBalancer()
	// With a chance of 1/3, fewer than 700 of 3000 is more than 10 standard deviations off.
	for endpoint, count := range pickAll(b, port, false) {
		if count < 700 {
			t.Errorf("%s was picked %d times of 3000", endpoint, count)
		}
	}
	if picked := pickAll(b, port, false); len(picked) != 3 {
		t.Errorf("internal: %v", picked)
	}
	if picked := pickAll(b, port, true); len(picked) != 1 || picked["10.42.0.3:80"] != 3000 {
		t.Errorf("external: %v", picked)
	}
	if picked := pickAll(b, newPort("b", 0), false); len(picked) != 0 {
		t.Errorf("without endpoints: %v", picked)
	}
}

func TestPickKeepsToTheNode(t *testing.T) {
	port := newPort("a", 0, "10.42.0.3:80", "10.42.1.3:80")
	port.ExternalOn = map[string][]Endpoint{"node-1": port.Internal[:1], "node-2": port.Internal[1:]}
	for from, want := range map[Origin]int{
		{External: true, Node: "node-2"}: 1,
		{External: true, Node: "node-3"}: 0,
		{External: true}:                 2,
		{Node: "node-2"}:                 2,
	} {
		picked := map[Endpoint]bool{}
		for range 200 {
			if endpoint, ok := NewBalancer().Pick(port, from, client); ok {
				picked[endpoint] = true
			}
		}
		if len(picked) != want || want == 1 && !picked[port.Internal[1]] {
			t.Errorf("from %+v: %v", from, picked)
		}
	}
}

func TestPickKeepsToSources(t *testing.T) {
	port := newPort("a", 0, "10.42.0.3:80")
	port.Sources = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for address, want := range map[string]bool{"192.0.2.7": true, "::ffff:192.0.2.7": true, "192.0.3.7": false, "::1": false} {
		if _, ok := NewBalancer().Pick(port, Origin{External: true}, netip.MustParseAddr(address)); ok != want {
			t.Errorf("%s: %v, want %v", address, ok, want)
		}
	}
	port.Sources = []netip.Prefix{}
	if _, ok := NewBalancer().Pick(port, Origin{External: true}, client); ok {
		t.Error("picked for a client though no range is left")
	}
}

func TestAffinity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBalancer()
		port := newPort("a", time.Minute, manyEndpoints()...)
		first, _ := b.Pick(port, Origin{}, client)
		for range 10 {
			time.Sleep(59 * time.Second)
			if again, _ := b.Pick(port, Origin{}, client); again != first {
				t.Fatalf("moved from %v to %v although each connection renews the affinity", first, again)
			}
		}
		if mapped, _ := b.Pick(port, Origin{}, netip.AddrFrom16(client.As16())); mapped != first {
			t.Error("the same client in IPv6 form has an endpoint of its own")
		}

		t.Log("a new Snapshot in which the endpoint still is")
		next := newPort("a", time.Minute, manyEndpoints()...)
		b.Prune(&Snapshot{Cluster: map[Frontend]*Port{tcp("10.43.0.5:80"): next}})
		if again, _ := b.Pick(next, Origin{}, client); again != first {
			t.Errorf("moved from %v to %v with a new Snapshot", first, again)
		}
		t.Log("a new Snapshot without it")
		gone := newPort("a", time.Minute, "10.42.0.3:80")
		if again, ok := b.Pick(gone, Origin{}, client); !ok || again != gone.Internal[0] {
			t.Errorf("picked %v, %v", again, ok)
		}
	})
}

func TestAffinityEnds(t *testing.T) {
	snapshotOf := func(port *Port) *Snapshot {
		return &Snapshot{Cluster: map[Frontend]*Port{tcp("10.43.0.5:80"): port}}
	}
	port := newPort("a", time.Minute, manyEndpoints()...)
	tests := map[string]struct {
		end  func(*Balancer)
		ends bool
	}{
		"after its time":     {func(*Balancer) { time.Sleep(time.Minute) }, true},
		"with the Service":   {func(b *Balancer) { b.Prune(&Snapshot{}) }, true},
		"with the affinity":  {func(b *Balancer) { b.Prune(snapshotOf(newPort("a", 0, manyEndpoints()...))) }, true},
		"with the endpoints": {func(b *Balancer) { b.Prune(snapshotOf(newPort("a", time.Minute, "10.42.1.1:80"))) }, true},
		"not by a Snapshot":  {func(b *Balancer) { b.Prune(snapshotOf(port)) }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// Of 20 new choices among 200, all are the old endpoint in no run ever.
				moved := false
				for range 20 {
					b := NewBalancer()
					first, _ := b.Pick(port, Origin{}, client)
					test.end(b)
					if next, _ := b.Pick(port, Origin{}, client); next != first {
						moved = true
					}
				}
				if moved != test.ends {
					t.Errorf("moved: %v, want %v", moved, test.ends)
				}
			})
		})
	}
}

func TestAffinityIsBounded(t *testing.T) {
	b := &Balancer{affinities: newAffinities(100)}
	port := newPort("a", time.Hour, manyEndpoints()...)
	first, _ := b.Pick(port, Origin{}, client)
	address := client
	for range 1000 {
		address = address.Next()
		b.Pick(port, Origin{}, address)
		if again, _ := b.Pick(port, Origin{}, client); again != first {
			t.Fatal("the client in use was forgotten before those that have been away longer")
		}
	}
	if b.affinities.len() != 100 || len(b.affinities.byKey) != 100 {
		t.Errorf("%d affinities, %d keys, want 100", b.affinities.len(), len(b.affinities.byKey))
	}
}

func TestExpiredAffinitiesMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBalancer()
		port := newPort("a", time.Minute, "10.42.0.3:80")
		address := client
		for range 1000 {
			address = address.Next()
			b.Pick(port, Origin{}, address)
		}
		time.Sleep(time.Minute)
		b.Pick(port, Origin{}, client)
		if b.affinities.len() != 1 {
			t.Errorf("%d affinities, want the new one only", b.affinities.len())
		}
	})
}

func TestBalancerIsSafeForConcurrentUse(t *testing.T) {
	b := &Balancer{affinities: newAffinities(50)}
	port := newPort("a", time.Hour, manyEndpoints()...)
	snapshot := &Snapshot{Cluster: map[Frontend]*Port{tcp("10.43.0.5:80"): port}}
	var running sync.WaitGroup
	for worker := range 8 {
		running.Go(func() {
			address := netip.AddrFrom4([4]byte{10, 42, byte(worker), 0})
			for range 500 {
				address = address.Next()
				if _, ok := b.Pick(port, Origin{External: worker%2 == 0}, address); !ok {
					t.Error("nothing picked")
				}
				b.Prune(snapshot)
			}
		})
	}
	running.Wait()
}
