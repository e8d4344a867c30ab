package services

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

func TestTrafficPolicies(t *testing.T) {
	tests := map[string]struct {
		edit               func(*v1.Service)
		endpoints          []discoveryv1.Endpoint
		internal, external []string
	}{
		"Cluster": {
			endpoints: []discoveryv1.Endpoint{elsewhere(ready("10.42.1.2")), ready("10.42.0.3"), starting("10.42.0.4"), terminating("10.42.0.5")},
			internal:  []string{"10.42.0.3:8080", "10.42.1.2:8080"},
			external:  []string{"10.42.0.3:8080", "10.42.1.2:8080"},
		},
		"internal Local": {
			edit:      internalLocal,
			endpoints: []discoveryv1.Endpoint{elsewhere(ready("10.42.1.2")), ready("10.42.0.3")},
			internal:  []string{"10.42.0.3:8080"},
			external:  []string{"10.42.0.3:8080", "10.42.1.2:8080"},
		},
		"external Local": {
			edit:      externalLocal,
			endpoints: []discoveryv1.Endpoint{elsewhere(ready("10.42.1.2")), ready("10.42.0.3")},
			internal:  []string{"10.42.0.3:8080", "10.42.1.2:8080"},
			external:  []string{"10.42.0.3:8080"},
		},
		"Local without a node name": {
			edit:      internalLocal,
			endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.42.0.3"}}},
			internal:  []string{},
			external:  []string{"10.42.0.3:8080"},
		},
		"only terminating ones that serve": {
			endpoints: []discoveryv1.Endpoint{terminating("10.42.0.3"), ending("10.42.0.4"), starting("10.42.0.5")},
			internal:  []string{"10.42.0.3:8080"},
			external:  []string{"10.42.0.3:8080"},
		},
		"Local: only terminating ones here, ready ones elsewhere": {
			edit:      externalLocal,
			endpoints: []discoveryv1.Endpoint{elsewhere(ready("10.42.1.2")), terminating("10.42.0.3")},
			internal:  []string{"10.42.1.2:8080"},
			external:  []string{"10.42.0.3:8080"},
		},
		"ready while terminating, by publishNotReadyAddresses": {
			endpoints: []discoveryv1.Endpoint{endpointOf("10.42.0.3", true, false, true), terminating("10.42.0.4")},
			internal:  []string{"10.42.0.3:8080"},
			external:  []string{"10.42.0.3:8080"},
		},
		"conditions unset": {
			endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.42.0.3"}}},
			internal:  []string{"10.42.0.3:8080"},
			external:  []string{"10.42.0.3:8080"},
		},
		"none": {internal: []string{}, external: []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service := newService("a", "10.43.0.5", nodePort(30080))
			if test.edit != nil {
				test.edit(service)
			}
			snapshot, problems := Build([]*v1.Service{service}, []*discoveryv1.EndpointSlice{newSlice("a", test.endpoints...)}, thisNode)
			port := snapshot.Cluster[tcp("10.43.0.5:80")]
			wantAddresses(t, "internal", port.Internal, test.internal...)
			wantAddresses(t, "external", port.External, test.external...)
			if len(problems) > 0 {
				t.Errorf("problems: %v", problems)
			}
		})
	}
}

func TestLocalEndpointsOfSeveralNodes(t *testing.T) {
	nodes := thisNode
	nodes.Names = append([]string{"node-0"}, append(nodes.Names, *elsewhere(ready("10.42.1.2")).NodeName)...)
	endpoints := newSlice("a", elsewhere(ready("10.42.1.2")), terminating("10.42.0.3"), ready("10.42.0.4"))
	snapshot, _ := Build([]*v1.Service{newService("a", "10.43.0.5", nodePort(30080), externalLocal)}, []*discoveryv1.EndpointSlice{endpoints}, nodes)
	port := snapshot.Cluster[tcp("10.43.0.5:80")]
	wantAddresses(t, "from a load balancer", port.Endpoints(Origin{External: true}), "10.42.0.4:8080", "10.42.1.2:8080")
	wantAddresses(t, "at this node", port.Endpoints(Origin{External: true, Node: "node-1"}), "10.42.0.4:8080")
	wantAddresses(t, "at a node without any", port.Endpoints(Origin{External: true, Node: "node-0"}))
	wantAddresses(t, "in the cluster", port.Endpoints(Origin{Node: "node-0"}), "10.42.0.4:8080", "10.42.1.2:8080")
}

func TestSlicesOfAService(t *testing.T) {
	service := newService("a", "10.43.0.5", withPorts(
		v1.ServicePort{Name: "web", Protocol: v1.ProtocolTCP, Port: 80},
		v1.ServicePort{Name: "web-udp", Protocol: v1.ProtocolUDP, Port: 80}))
	// A named target port has a number for each set of pods that names it differently.
	first := newSlice("a", ready("10.42.0.3"), starting("10.42.0.5"))
	first.Ports = []discoveryv1.EndpointPort{endpointPortOf("web", v1.ProtocolTCP, 8080), endpointPortOf("web-udp", v1.ProtocolUDP, 9090)}
	second := newSlice("a", ready("10.42.0.4"), ready("10.42.0.5"))
	second.Ports = []discoveryv1.EndpointPort{{Name: first.Ports[0].Name, Port: first.Ports[0].Port}, endpointPortOf("other", v1.ProtocolTCP, 1)}
	// The name without the protocol is another port.
	third := newSlice("a", ready("10.42.0.9"))
	third.Ports = []discoveryv1.EndpointPort{endpointPortOf("web", v1.ProtocolUDP, 8080)}
	headless := newSlice("a", ready("10.42.0.6"))
	headless.Labels[v1.IsHeadlessService] = ""
	foreign := newSlice("a", ready("10.42.0.7"))
	foreign.Labels[serviceProxyName] = "another"
	elsewhere := newSlice("a", ready("10.42.0.8"))
	elsewhere.Namespace = "other"
	unlabelled := newSlice("a", ready("10.42.0.10"))
	unlabelled.Labels = nil

	snapshot, problems := Build([]*v1.Service{service},
		[]*discoveryv1.EndpointSlice{nil, first, second, third, headless, foreign, elsewhere, unlabelled}, thisNode)
	wantAddresses(t, "web", snapshot.Cluster[tcp("10.43.0.5:80")].Internal, "10.42.0.3:8080", "10.42.0.4:8080", "10.42.0.5:8080")
	udp := Frontend{v1.ProtocolUDP, tcp("10.43.0.5:80").Address}
	wantAddresses(t, "web-udp", snapshot.Cluster[udp].Internal, "10.42.0.3:9090")
	if len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
}
