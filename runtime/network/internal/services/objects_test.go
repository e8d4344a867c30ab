package services

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
)

// thisNode is the node of all tests; nodeAddress is one of its own addresses.
var (
	nodeAddress = netip.MustParseAddr("10.42.0.1")
	thisNode    = Nodes{Names: []string{"node-1"}, Addresses: sets.New(nodeAddress, netip.MustParseAddr("192.168.1.2"))}
)

// newService returns a ClusterIP Service with one TCP port 80 without a name. All are of the
// same age unless createdAtMinute makes them younger.
func newService(name, clusterIP string, edits ...func(*v1.Service)) *v1.Service {
	policy := v1.ServiceInternalTrafficPolicyCluster
	service := &v1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID("uid-" + name),
			CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		},
		Spec: v1.ServiceSpec{
			Type:                  v1.ServiceTypeClusterIP,
			ClusterIP:             clusterIP,
			ClusterIPs:            []string{clusterIP},
			Ports:                 []v1.ServicePort{{Protocol: v1.ProtocolTCP, Port: 80}},
			InternalTrafficPolicy: &policy,
			SessionAffinity:       v1.ServiceAffinityNone,
		},
	}
	for _, edit := range edits {
		edit(service)
	}
	return service
}

func createdAtMinute(minute int) func(*v1.Service) {
	return func(service *v1.Service) {
		service.CreationTimestamp.Time = service.CreationTimestamp.Add(time.Duration(minute) * time.Minute)
	}
}

func withPorts(ports ...v1.ServicePort) func(*v1.Service) {
	return func(service *v1.Service) { service.Spec.Ports = ports }
}

func nodePort(number int32) func(*v1.Service) {
	return func(service *v1.Service) {
		service.Spec.Type = v1.ServiceTypeNodePort
		service.Spec.ExternalTrafficPolicy = v1.ServiceExternalTrafficPolicyCluster
		service.Spec.Ports[0].NodePort = number
	}
}

func loadBalancer(ingress ...v1.LoadBalancerIngress) func(*v1.Service) {
	return func(service *v1.Service) {
		service.Spec.Type = v1.ServiceTypeLoadBalancer
		service.Spec.ExternalTrafficPolicy = v1.ServiceExternalTrafficPolicyCluster
		service.Status.LoadBalancer.Ingress = ingress
	}
}

func withClass(class string) func(*v1.Service) {
	return func(service *v1.Service) { service.Spec.LoadBalancerClass = &class }
}

func internalLocal(service *v1.Service) {
	policy := v1.ServiceInternalTrafficPolicyLocal
	service.Spec.InternalTrafficPolicy = &policy
}

func externalLocal(service *v1.Service) {
	service.Spec.ExternalTrafficPolicy = v1.ServiceExternalTrafficPolicyLocal
}

// newSlice returns a slice of a Service with one TCP port 8080 without a name, as the
// EndpointSlice controller makes it.
func newSlice(service string, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: service + "-abcde", UID: types.UID("uid-" + service + "-abcde"),
			Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{endpointPortOf("", v1.ProtocolTCP, 8080)},
		Endpoints:   endpoints,
	}
}

func endpointPortOf(name string, protocol v1.Protocol, number int32) discoveryv1.EndpointPort {
	return discoveryv1.EndpointPort{Name: &name, Protocol: &protocol, Port: &number}
}

// The conditions that the EndpointSlice controller sets.
func ready(address string) discoveryv1.Endpoint       { return endpointOf(address, true, true, false) }
func starting(address string) discoveryv1.Endpoint    { return endpointOf(address, false, false, false) }
func terminating(address string) discoveryv1.Endpoint { return endpointOf(address, false, true, true) }
func ending(address string) discoveryv1.Endpoint      { return endpointOf(address, false, false, true) }

func endpointOf(address string, ready, serving, terminating bool) discoveryv1.Endpoint {
	node := thisNode.Names[0]
	return discoveryv1.Endpoint{
		Addresses:  []string{address},
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		NodeName:   &node,
	}
}

func elsewhere(endpoint discoveryv1.Endpoint) discoveryv1.Endpoint {
	node := "node-2"
	endpoint.NodeName = &node
	return endpoint
}

// addresses makes endpoints comparable with a list in a test's table.
func addresses(endpoints []Endpoint) []string {
	texts := []string{}
	for _, endpoint := range endpoints {
		texts = append(texts, endpoint.Address.String())
	}
	return texts
}

func wantAddresses(t *testing.T, what string, got []Endpoint, want ...string) {
	t.Helper()
	if !slices.Equal(addresses(got), want) {
		t.Errorf("%s: endpoints %v, want %v", what, addresses(got), want)
	}
}

func tcp(address string) Frontend {
	return Frontend{v1.ProtocolTCP, netip.MustParseAddrPort(address)}
}
