package dns

import (
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func namespace(name string) *v1.Namespace {
	return &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func clusterService(name, address string, ports ...v1.ServicePort) *v1.Service {
	return &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: v1.ServiceSpec{
			Type: v1.ServiceTypeClusterIP, ClusterIP: address, ClusterIPs: []string{address}, Ports: ports,
		},
	}
}

func httpPort() v1.ServicePort {
	return v1.ServicePort{Name: "http", Port: 80, Protocol: v1.ProtocolTCP}
}

func externalName(name, target string) *v1.Service {
	return &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       v1.ServiceSpec{Type: v1.ServiceTypeExternalName, ExternalName: target},
	}
}

// sliceOf names pods that stand behind a Service; hostname may be empty.
func sliceOf(service string, endpoints ...discovery.Endpoint) *discovery.EndpointSlice {
	name, port, protocol := "http", int32(8080), v1.ProtocolTCP
	return &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: service + "-1",
			Labels: map[string]string{discovery.LabelServiceName: service},
		},
		AddressType: discovery.AddressTypeIPv4,
		Endpoints:   endpoints,
		Ports:       []discovery.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
}

func endpoint(address, hostname string) discovery.Endpoint {
	ready := true
	e := discovery.Endpoint{
		Addresses: []string{address}, Conditions: discovery.EndpointConditions{Ready: &ready},
	}
	if hostname != "" {
		e.Hostname = &hostname
	}
	return e
}
