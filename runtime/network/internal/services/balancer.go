package services

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Balancer chooses the endpoint of each connection: at random, as kube-proxy does, or the
// client's last one where the Service has session affinity. It may be used concurrently.
type Balancer struct {
	mutex      sync.Mutex
	affinities affinities
}

// NewBalancer returns a Balancer that knows no clients.
func NewBalancer() *Balancer {
	return &Balancer{affinities: newAffinities(affinityLimit)}
}

// Pick returns the endpoint for a connection of client, or false when there is none: no
// endpoint is usable, or the client is outside of the port's Sources.
func (b *Balancer) Pick(port *Port, from Origin, client netip.Addr) (Endpoint, bool) {
	client = client.Unmap()
	if port.Sources != nil && !slices.ContainsFunc(port.Sources, func(source netip.Prefix) bool { return source.Contains(client) }) {
		return Endpoint{}, false
	}
	endpoints := port.Endpoints(from)
	if len(endpoints) == 0 {
		return Endpoint{}, false
	}
	if port.Affinity == 0 {
		return endpoints[rand.IntN(len(endpoints))], true
	}

	b.mutex.Lock()
	defer b.mutex.Unlock()
	now := time.Now()
	key := affinityKey{port.Name, client}
	endpoint, known := b.affinities.get(key, now)
	if !known || !slices.Contains(endpoints, endpoint) {
		endpoint = endpoints[rand.IntN(len(endpoints))]
	}
	b.affinities.set(key, endpoint, now.Add(port.Affinity), now)
	return endpoint, true
}

// Prune ends the affinities that a new Snapshot has no port, no affinity or no endpoint
// for. It only saves memory: Pick never returns an endpoint that its port does not have.
func (b *Balancer) Prune(snapshot *Snapshot) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.affinities.len() == 0 {
		return
	}
	ports := map[PortName]*Port{}
	for _, port := range snapshot.Cluster {
		if port.Affinity != 0 {
			ports[port.Name] = port
		}
	}
	b.affinities.retain(time.Now(), func(key affinityKey, endpoint Endpoint) bool {
		port := ports[key.port]
		return port != nil && (slices.Contains(port.Internal, endpoint) || slices.Contains(port.External, endpoint))
	})
}
