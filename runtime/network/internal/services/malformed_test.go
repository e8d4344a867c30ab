package services

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Each case spoils a slice with one port and one endpoint. A second slice of the same
// Service, without fault, must be served all the same.
func TestMalformedSlices(t *testing.T) {
	address := func(text string) func(*discoveryv1.EndpointSlice) {
		return func(slice *discoveryv1.EndpointSlice) { slice.Endpoints[0].Addresses = []string{text} }
	}
	port := func(number int32) func(*discoveryv1.EndpointSlice) {
		return func(slice *discoveryv1.EndpointSlice) { slice.Ports[0].Port = &number }
	}
	addressType := func(kind discoveryv1.AddressType) func(*discoveryv1.EndpointSlice) {
		return func(slice *discoveryv1.EndpointSlice) { slice.AddressType = kind }
	}
	tests := map[string]struct {
		spoil func(*discoveryv1.EndpointSlice)
		// reason is empty where the slice just has nothing to serve.
		reason string
	}{
		"FQDN":                      {addressType(discoveryv1.AddressTypeFQDN), ReasonUnsupportedAddressType},
		"IPv6":                      {addressType(discoveryv1.AddressTypeIPv6), ReasonUnsupportedAddressType},
		"no address type":           {addressType(""), ReasonUnsupportedAddressType},
		"unknown address type":      {addressType("IPX"), ReasonUnsupportedAddressType},
		"no addresses":              {func(slice *discoveryv1.EndpointSlice) { slice.Endpoints[0].Addresses = nil }, ReasonInvalidAddress},
		"empty address":             {address(""), ReasonInvalidAddress},
		"name":                      {address("example.com"), ReasonInvalidAddress},
		"address with a port":       {address("10.42.0.9:80"), ReasonInvalidAddress},
		"range":                     {address("10.42.0.9/24"), ReasonInvalidAddress},
		"too few bytes":             {address("10.42.9"), ReasonInvalidAddress},
		"byte too large":            {address("10.42.0.256"), ReasonInvalidAddress},
		"leading zero":              {address("10.42.0.09"), ReasonInvalidAddress},
		"IPv6 address":              {address("fd00::9"), ReasonInvalidAddress},
		"IPv4 in IPv6":              {address("::ffff:10.42.0.9"), ReasonInvalidAddress},
		"zone":                      {address("fe80::1%eth0"), ReasonInvalidAddress},
		"unspecified":               {address("0.0.0.0"), ReasonInvalidAddress},
		"loopback":                  {address("127.0.0.1"), ReasonInvalidAddress},
		"link-local":                {address("169.254.169.254"), ReasonInvalidAddress},
		"multicast":                 {address("224.0.0.1"), ReasonInvalidAddress},
		"broadcast":                 {address("255.255.255.255"), ReasonInvalidAddress},
		"not text":                  {address("\xff\x00"), ReasonInvalidAddress},
		"long":                      {address(strings.Repeat("1", 1<<16)), ReasonInvalidAddress},
		"no ports":                  {func(slice *discoveryv1.EndpointSlice) { slice.Ports = nil }, ""},
		"no endpoints":              {func(slice *discoveryv1.EndpointSlice) { slice.Endpoints = nil }, ""},
		"port without a number":     {func(slice *discoveryv1.EndpointSlice) { slice.Ports[0].Port = nil }, ReasonInvalidPort},
		"all of the port is unset":  {func(slice *discoveryv1.EndpointSlice) { slice.Ports[0] = discoveryv1.EndpointPort{} }, ReasonInvalidPort},
		"port 0":                    {port(0), ReasonInvalidPort},
		"negative port":             {port(-8080), ReasonInvalidPort},
		"port too large":            {port(65536), ReasonInvalidPort},
		"port that wraps to 8080":   {port(65536 + 8080), ReasonInvalidPort},
		"smallest number":           {port(math.MinInt32), ReasonInvalidPort},
		"port of another name":      {func(slice *discoveryv1.EndpointSlice) { *slice.Ports[0].Name = "x" }, ""},
		"port of another protocol":  {func(slice *discoveryv1.EndpointSlice) { *slice.Ports[0].Protocol = v1.ProtocolSCTP }, ""},
		"port of no known protocol": {func(slice *discoveryv1.EndpointSlice) { *slice.Ports[0].Protocol = "" }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bad := newSlice("a", ready("10.42.0.9"))
			test.spoil(bad)
			good := newSlice("a", ready("10.42.0.3"))
			snapshot, problems := Build([]*v1.Service{newService("a", "10.43.0.5")}, []*discoveryv1.EndpointSlice{bad, good}, thisNode)
			wantAddresses(t, "of both slices", snapshot.Cluster[tcp("10.43.0.5:80")].Internal, "10.42.0.3:8080")
			reasons := []string{}
			for _, problem := range problems {
				reasons = append(reasons, problem.Reason)
				if problem.Object.Kind != "EndpointSlice" || problem.Object.UID != bad.UID {
					t.Errorf("problem of %+v", problem.Object)
				}
			}
			want := []string{}
			if test.reason != "" {
				want = append(want, test.reason)
			}
			if !slices.Equal(reasons, want) {
				t.Errorf("problems %v, want %q", problems, want)
			}
		})
	}
}

func TestOneProblemForManyEndpoints(t *testing.T) {
	slice := newSlice("a")
	for range 1000 {
		slice.Endpoints = append(slice.Endpoints, ready("example.com"))
	}
	slice.Endpoints = append(slice.Endpoints, ready("10.42.0.3"))
	snapshot, problems := Build([]*v1.Service{newService("a", "10.43.0.5")}, []*discoveryv1.EndpointSlice{slice}, thisNode)
	if len(problems) != 1 {
		t.Errorf("%d problems, want 1", len(problems))
	}
	wantAddresses(t, "rest", snapshot.Cluster[tcp("10.43.0.5:80")].Internal, "10.42.0.3:8080")
}

// Objects put together at random from values that are each possible somewhere must not
// panic, and nothing that is no address of a host may come out.
func TestRandomObjects(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "None", "a", "10.42.0.3", "10.43.0.5", "127.0.0.1", "fd00::1", "::ffff:10.42.0.3", "0.0.0.0", nodeAddress.String(), "\xff"}
	text := func() string { return texts[random.IntN(len(texts))] }
	number := func() int32 { return []int32{math.MinInt32, -1, 0, 1, 80, 65535, 65536}[random.IntN(7)] }
	protocol := func() v1.Protocol {
		return []v1.Protocol{"", v1.ProtocolTCP, v1.ProtocolUDP, v1.ProtocolSCTP, "tcp"}[random.IntN(5)]
	}
	for range 5000 {
		service := newService("a", text(), func(service *v1.Service) {
			service.Spec.ClusterIPs = []string{text(), text()}[:random.IntN(3)]
			service.Spec.ExternalIPs = []string{text(), text()}
			service.Spec.LoadBalancerSourceRanges = []string{text(), text()}[:random.IntN(3)]
			service.Spec.Type = []v1.ServiceType{"", v1.ServiceTypeClusterIP, v1.ServiceTypeLoadBalancer, v1.ServiceTypeNodePort}[random.IntN(4)]
			service.Status.LoadBalancer.Ingress = []v1.LoadBalancerIngress{{IP: text()}}
			service.Spec.Ports = []v1.ServicePort{{Protocol: protocol(), Port: number(), NodePort: number()}, {Name: "a", Protocol: protocol(), Port: number()}}
			service.Spec.InternalTrafficPolicy = nil
		})
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "a"}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{}, endpointPortOf("", protocol(), number()), endpointPortOf(text(), protocol(), number())},
			Endpoints:   []discoveryv1.Endpoint{{}, {Addresses: []string{text()}}, {Addresses: []string{text(), text()}}},
		}
		snapshot, _ := Build([]*v1.Service{service, nil}, []*discoveryv1.EndpointSlice{slice, nil}, thisNode)
		for frontend, port := range snapshot.Cluster {
			if frontend.Address.Port() == 0 || !frontend.Address.Addr().Is4() || frontend.Address.Addr().IsLoopback() {
				t.Fatalf("frontend %v", frontend)
			}
			for _, endpoint := range port.Internal {
				address := endpoint.Address.Addr()
				if endpoint.Address.Port() == 0 || !address.Is4() || address.IsLoopback() || address.IsUnspecified() {
					t.Fatalf("endpoint %v", endpoint)
				}
			}
		}
	}
}
