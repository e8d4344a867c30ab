// Package policy evaluates NetworkPolicies (networking.k8s.io/v1): which flows of
// which pods they let through.
package policy

import (
	"net/netip"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ICMP is the Protocol of an ICMP flow, and Other that of every protocol which the
// API has no name for. Only rules that list no ports match them.
const (
	ICMP  v1.Protocol = "ICMP"
	Other v1.Protocol = ""
)

// Flow is a connection, or an exchange of datagrams, as its first packet shows it.
type Flow struct {
	Source, Destination netip.Addr
	// Protocol is TCP, UDP or SCTP, ICMP or Other.
	Protocol v1.Protocol
	// Port is the destination's; 0 for protocols without ports.
	Port uint16
}

// Node is what is never subject to policy on the node that evaluates.
type Node struct {
	// Addresses are the node's own and those of the Service proxy. The specification
	// exempts traffic between a pod and its node; the proxy asks for itself whether the
	// client may reach the endpoint that it has chosen.
	Addresses []netip.Addr
	// ServiceRange holds the virtual addresses of Services.
	ServiceRange netip.Prefix
	// Endpoints returns what a virtual address stands for at the moment; nil: nothing is
	// known. A policy applies to the endpoint that the proxy will choose, which is not
	// known yet when a flow begins: one that may be reached is enough to let it begin.
	Endpoints func(protocol v1.Protocol, frontend netip.AddrPort) []netip.AddrPort
}

// Isolation says in which directions policies select a pod.
type Isolation struct {
	Ingress, Egress bool
}

// Problem is a part of a policy that can not be enforced, for people to read.
type Problem struct {
	Policy  types.NamespacedName
	Message string
}
