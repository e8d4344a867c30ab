package services

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
)

// serviceProxyName is the label of Services and EndpointSlices that another Service proxy
// serves (KEP-2447).
const serviceProxyName = "service.kubernetes.io/service-proxy-name"

// Nodes are the nodes that Services are served on.
type Nodes struct {
	// Names are those of the Node objects. An endpoint with such a node name is local to
	// that node.
	Names []string
	// Addresses are the nodes' own.
	Addresses sets.Set[netip.Addr]
	// LoopbackRange is the part of 127.0.0.0/8 that ClusterIPs are from in host-network
	// mode. Invalid otherwise: then no ClusterIP is a loopback address.
	LoopbackRange netip.Prefix
}

// Build makes the Snapshot of what the API says, and tells what of it is not served. It
// does not keep or change its arguments.
//
// The rules are kube-proxy's, for IPv4 and the protocols TCP and UDP. Services of type
// LoadBalancer without a class get the node's own ports as well, as by k3s' ServiceLB.
// Where two Services want the same address, the older one gets it.
func Build(services []*v1.Service, endpointSlices []*discoveryv1.EndpointSlice, nodes Nodes) (*Snapshot, []Problem) {
	b := builder{
		nodes: nodes,
		snapshot: &Snapshot{
			Cluster:       make(map[Frontend]*Port, len(services)),
			External:      map[Frontend]*Port{},
			Node:          map[NodeFrontend]*Port{},
			LoadBalancers: sets.New[types.NamespacedName](),
		},
	}
	bySource := groupSlices(endpointSlices)
	oldestFirst := make([]*v1.Service, 0, len(services))
	for _, service := range services {
		if isServed(service) {
			oldestFirst = append(oldestFirst, service)
		}
	}
	slices.SortFunc(oldestFirst, compareServices)

	// ClusterIPs and NodePorts are handed out by the API server, to one Service each: they
	// come before the addresses that users choose.
	all := make([][]servedPort, len(oldestFirst))
	for i, service := range oldestFirst {
		all[i] = b.readService(service, bySource[nameOf(service)])
		b.addAllocated(service, all[i])
	}
	for i, service := range oldestFirst {
		b.addChosen(service, all[i])
	}
	return b.snapshot, b.problems
}

// builder holds what a Build has made so far.
type builder struct {
	nodes    Nodes
	snapshot *Snapshot
	problems []Problem
	// scratch is memory for one Service port's candidates.
	scratch []candidate
}

// servedPort is a port of a Service that has a number and protocol that can be served.
type servedPort struct {
	number uint16
	// nodePort is 0 when there is none.
	nodePort uint16
	port     *Port
}

func (b *builder) problem(object v1.ObjectReference, reason, format string, arguments ...any) {
	b.problems = append(b.problems, Problem{object, reason, fmt.Sprintf(format, arguments...)})
}

// isServed tells whether a Service has virtual addresses that are for this proxy to serve.
func isServed(service *v1.Service) bool {
	if service == nil || service.Spec.Type == v1.ServiceTypeExternalName {
		return false
	}
	if _, foreign := service.Labels[serviceProxyName]; foreign {
		return false
	}
	return service.Spec.ClusterIP != "" && service.Spec.ClusterIP != v1.ClusterIPNone
}

// isNodeLoadBalancer tells whether the node is a Service's load balancer. A class asks for
// another implementation (KEP-1959).
func isNodeLoadBalancer(service *v1.Service) bool {
	return service.Spec.Type == v1.ServiceTypeLoadBalancer && service.Spec.LoadBalancerClass == nil
}

// groupSlices returns the slices of each Service. Slices of headless Services and of
// other proxies are left out, as kube-proxy does.
func groupSlices(all []*discoveryv1.EndpointSlice) map[types.NamespacedName][]*discoveryv1.EndpointSlice {
	groups := make(map[types.NamespacedName][]*discoveryv1.EndpointSlice, len(all))
	for _, slice := range all {
		if slice == nil {
			continue
		}
		_, headless := slice.Labels[v1.IsHeadlessService]
		_, foreign := slice.Labels[serviceProxyName]
		service := slice.Labels[discoveryv1.LabelServiceName]
		if headless || foreign || service == "" {
			continue
		}
		name := types.NamespacedName{Namespace: slice.Namespace, Name: service}
		groups[name] = append(groups[name], slice)
	}
	return groups
}

// readService returns the Service's ports with their endpoints.
func (b *builder) readService(service *v1.Service, endpointSlices []*discoveryv1.EndpointSlice) []servedPort {
	groups := make([]backendGroup, 0, len(endpointSlices))
	for _, slice := range endpointSlices {
		groups = append(groups, b.readSlice(slice))
	}
	ports := make([]servedPort, 0, len(service.Spec.Ports))
	for i := range service.Spec.Ports {
		spec := &service.Spec.Ports[i]
		protocol := cmp.Or(spec.Protocol, v1.ProtocolTCP)
		if protocol != v1.ProtocolTCP && protocol != v1.ProtocolUDP {
			b.problem(serviceReference(service), ReasonUnsupportedProtocol,
				"port %d: protocol %s is not served, only TCP and UDP", spec.Port, protocol)
			continue
		}
		served := servedPort{port: &Port{
			Name:     PortName{nameOf(service), spec.Name, protocol},
			Affinity: affinityOf(service),
		}}
		var err error
		if served.number, err = portNumber(spec.Port); err != nil {
			b.problem(serviceReference(service), ReasonInvalidPort, "port %q: %v", spec.Name, err)
			continue
		}
		if spec.NodePort != 0 {
			if served.nodePort, err = portNumber(spec.NodePort); err != nil {
				b.problem(serviceReference(service), ReasonInvalidPort, "node port of port %d: %v", spec.Port, err)
			}
		}
		b.setEndpoints(service, served.port, groups)
		ports = append(ports, served)
	}
	return ports
}

// setEndpoints applies the traffic policies (KEP-2086, and externalTrafficPolicy of
// Services that are reachable from outside).
func (b *builder) setEndpoints(service *v1.Service, port *Port, groups []backendGroup) {
	candidates := b.candidates(port.Name, groups)
	internalLocal := service.Spec.InternalTrafficPolicy != nil &&
		*service.Spec.InternalTrafficPolicy == v1.ServiceInternalTrafficPolicyLocal
	externalLocal := service.Spec.ExternalTrafficPolicy == v1.ServiceExternalTrafficPolicyLocal
	port.Internal, port.InternalOn = b.usable(candidates, internalLocal)
	port.External, port.ExternalOn = port.Internal, port.InternalOn
	if externalLocal != internalLocal {
		port.External, port.ExternalOn = b.usable(candidates, externalLocal)
	}
}

// affinityOf returns a Service's session affinity, by client address.
func affinityOf(service *v1.Service) time.Duration {
	if service.Spec.SessionAffinity != v1.ServiceAffinityClientIP {
		return 0
	}
	seconds := v1.DefaultClientIPServiceAffinitySeconds
	if config := service.Spec.SessionAffinityConfig; config != nil && config.ClientIP != nil {
		if timeout := config.ClientIP.TimeoutSeconds; timeout != nil && *timeout > 0 {
			seconds = *timeout
		}
	}
	return time.Duration(seconds) * time.Second
}

func nameOf(service *v1.Service) types.NamespacedName {
	return types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
}

func compareServices(one, other *v1.Service) int {
	return cmp.Or(
		one.CreationTimestamp.Compare(other.CreationTimestamp.Time),
		cmp.Compare(one.Namespace, other.Namespace),
		cmp.Compare(one.Name, other.Name),
	)
}
