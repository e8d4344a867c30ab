// Package services knows, from the API's Services and EndpointSlices, which virtual
// addresses there are and which endpoints stand behind each.
package services

import (
	"net/netip"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
)

// Frontend is an address that clients connect to.
type Frontend struct {
	// Protocol is TCP or UDP.
	Protocol v1.Protocol
	Address  netip.AddrPort
}

// NodeFrontend is a port that clients connect to at any address of the sandbox.
type NodeFrontend struct {
	Protocol v1.Protocol
	Port     uint16
}

// PortName identifies one port of one Service. It outlives changes of the Service.
type PortName struct {
	Service types.NamespacedName
	// Port is the port's name; empty when the Service has a single port without one.
	Port     string
	Protocol v1.Protocol
}

// Port is one port of one Service with its endpoints.
type Port struct {
	Name PortName
	// Affinity is how long a client stays with its endpoint after its latest connection;
	// 0: each connection is on its own.
	Affinity time.Duration
	// Sources are the clients that may connect, from loadBalancerSourceRanges. nil: all.
	// Only Ports behind a load balancer's frontends have any.
	Sources []netip.Prefix
	// Internal are the endpoints for clients in the cluster, by internalTrafficPolicy.
	Internal []Endpoint
	// External are the endpoints for clients from outside, by externalTrafficPolicy.
	External []Endpoint
	// InternalOn and ExternalOn are, where the traffic policy is Local, those of Internal
	// and External that are on each node, by its name; nil where it is Cluster.
	InternalOn, ExternalOn map[string][]Endpoint
}

// Origin is where a connection comes from, as far as it decides on the endpoint.
type Origin struct {
	// External says that the client is outside of the cluster.
	External bool
	// Node is the name of the node that the client is on, or if it is outside of the
	// cluster, of the one whose address it has connected to; empty when it is none of them:
	// then the sandbox is like a load balancer in front of all nodes.
	Node string
}

// Endpoints are those that a connection may be forwarded to.
func (p *Port) Endpoints(from Origin) []Endpoint {
	all, on := p.Internal, p.InternalOn
	if from.External {
		all, on = p.External, p.ExternalOn
	}
	if on == nil || from.Node == "" {
		return all
	}
	return on[from.Node]
}

// Endpoint is what a connection is forwarded to.
type Endpoint struct {
	Address netip.AddrPort
}

// Snapshot is the state of all Services at one moment. It is never changed once made.
// Endpoints are sorted by address and without duplicates. Frontends of the same Service
// port may share a Port.
type Snapshot struct {
	// Cluster are the frontends at ClusterIPs.
	Cluster map[Frontend]*Port
	// External are the frontends at externalIPs and at load-balancer addresses that are
	// not the node's own.
	External map[Frontend]*Port
	// Node are NodePorts, the ports of Services of type LoadBalancer, and the ports of
	// Services with an externalIP that is the node's own.
	Node map[NodeFrontend]*Port
	// LoadBalancers are the Services of type LoadBalancer that the node serves, each with
	// all of its ports that have a protocol the node serves.
	LoadBalancers sets.Set[types.NamespacedName]
}
