package services

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestStatusChanges(t *testing.T) {
	vip, proxy := v1.LoadBalancerIPModeVIP, v1.LoadBalancerIPModeProxy
	own := v1.LoadBalancerIngress{IP: nodeAddress.String(), IPMode: &vip}
	foreign := v1.LoadBalancerIngress{IP: "203.0.113.9", IPMode: &vip}
	set := `{"metadata":{"resourceVersion":"7"},"status":{"loadBalancer":{"ingress":[{"ip":"10.42.0.1"}]}}}`
	cleared := `{"metadata":{"resourceVersion":"7"},"status":{"loadBalancer":{"ingress":null}}}`
	status := func(ingress ...v1.LoadBalancerIngress) func(*v1.Service) {
		return func(service *v1.Service) { service.Status.LoadBalancer.Ingress = ingress }
	}
	tests := map[string]struct {
		edits []func(*v1.Service)
		want  string
	}{
		"new":                      {[]func(*v1.Service){loadBalancer()}, set},
		"as it should be":          {[]func(*v1.Service){loadBalancer(own)}, ""},
		"of an earlier node":       {[]func(*v1.Service){loadBalancer(foreign)}, set},
		"one address too many":     {[]func(*v1.Service){loadBalancer(own, foreign)}, set},
		"another mode":             {[]func(*v1.Service){loadBalancer(v1.LoadBalancerIngress{IP: own.IP, IPMode: &proxy})}, set},
		"another class":            {[]func(*v1.Service){loadBalancer(own), withClass("example.com/lb")}, ""},
		"another proxy's":          {[]func(*v1.Service){loadBalancer(), func(service *v1.Service) { service.Labels = map[string]string{serviceProxyName: "x"} }}, ""},
		"no longer LoadBalancer":   {[]func(*v1.Service){status(own)}, cleared},
		"someone's address":        {[]func(*v1.Service){status(foreign)}, ""},
		"never LoadBalancer":       {nil, ""},
		"port lost":                {[]func(*v1.Service){loadBalancer(own), withPorts(v1.ServicePort{Port: 9000})}, cleared},
		"port never had":           {[]func(*v1.Service){loadBalancer(), withPorts(v1.ServicePort{Port: 9000})}, ""},
		"nothing of it is served":  {[]func(*v1.Service){loadBalancer(own), withPorts(v1.ServicePort{Port: 80, Protocol: v1.ProtocolSCTP})}, cleared},
		"waiting for its deletion": {[]func(*v1.Service){loadBalancer(), func(service *v1.Service) { service.DeletionTimestamp = &metav1.Time{} }}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service := newService("a", "10.43.0.5", append(test.edits, createdAtMinute(1))...)
			service.ResourceVersion = "7"
			// It has port 9000 of the node.
			older := newService("older", "10.43.0.6", loadBalancer(own), withPorts(v1.ServicePort{Port: 9000}))
			services := []*v1.Service{older, service}
			snapshot, _ := Build(services, nil, thisNode)
			got := ""
			for _, change := range statusChanges(services, snapshot, nodeAddress) {
				patch, err := change.patch()
				if err != nil {
					t.Fatal(err)
				}
				got += string(patch)
			}
			if got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}
