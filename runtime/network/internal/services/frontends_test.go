package services

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
)

// frontendsOf lists all frontends as "cluster|external|node ADDRESS/PROTOCOL SERVICE:PORT".
func frontendsOf(snapshot *Snapshot) []string {
	texts := []string{}
	add := func(kind string, address any, protocol v1.Protocol, port *Port) {
		texts = append(texts, fmt.Sprintf("%s %v/%s %s:%s", kind, address, protocol, port.Name.Service.Name, port.Name.Port))
	}
	for frontend, port := range snapshot.Cluster {
		add("cluster", frontend.Address, frontend.Protocol, port)
	}
	for frontend, port := range snapshot.External {
		add("external", frontend.Address, frontend.Protocol, port)
	}
	for frontend, port := range snapshot.Node {
		add("node", frontend.Port, frontend.Protocol, port)
	}
	for name := range snapshot.LoadBalancers {
		texts = append(texts, "balancer "+name.Name)
	}
	slices.Sort(texts)
	return texts
}

func TestFrontends(t *testing.T) {
	vip := v1.LoadBalancerIPModeVIP
	proxy := v1.LoadBalancerIPModeProxy
	tests := map[string]struct {
		services []*v1.Service
		want     []string
		// problems are the reasons, in order of the objects' age.
		problems []string
	}{
		"ClusterIP": {
			services: []*v1.Service{newService("a", "10.43.0.5")},
			want:     []string{"cluster 10.43.0.5:80/TCP a:"},
		},
		"several ports, the same number with two protocols": {
			services: []*v1.Service{newService("dns", "10.43.0.10", withPorts(
				v1.ServicePort{Name: "dns", Protocol: v1.ProtocolUDP, Port: 53},
				v1.ServicePort{Name: "dns-tcp", Protocol: v1.ProtocolTCP, Port: 53},
				v1.ServicePort{Name: "metrics", Port: 9153}))},
			want: []string{"cluster 10.43.0.10:53/TCP dns:dns-tcp", "cluster 10.43.0.10:53/UDP dns:dns", "cluster 10.43.0.10:9153/TCP dns:metrics"},
		},
		"dual stack, IPv6 first": {
			services: []*v1.Service{newService("a", "fd00::5", func(service *v1.Service) {
				service.Spec.ClusterIPs = []string{"fd00::5", "10.43.0.5"}
			})},
			want: []string{"cluster 10.43.0.5:80/TCP a:"},
		},
		"headless, ExternalName and not yet allocated": {
			services: []*v1.Service{
				newService("headless", v1.ClusterIPNone), newService("new", ""),
				newService("name", "10.43.0.6", func(service *v1.Service) { service.Spec.Type = v1.ServiceTypeExternalName }),
			},
			want: []string{},
		},
		"of another proxy": {
			services: []*v1.Service{newService("a", "10.43.0.5", func(service *v1.Service) {
				service.Labels = map[string]string{serviceProxyName: ""}
			})},
			want: []string{},
		},
		"SCTP beside TCP": {
			services: []*v1.Service{newService("a", "10.43.0.5", withPorts(
				v1.ServicePort{Name: "s", Protocol: v1.ProtocolSCTP, Port: 1}, v1.ServicePort{Name: "t", Protocol: v1.ProtocolTCP, Port: 2}))},
			want:     []string{"cluster 10.43.0.5:2/TCP a:t"},
			problems: []string{"a UnsupportedProtocol"},
		},
		"NodePort": {
			services: []*v1.Service{newService("a", "10.43.0.5", nodePort(30080))},
			want:     []string{"cluster 10.43.0.5:80/TCP a:", "node 30080/TCP a:"},
		},
		"externalIPs, one of the node, one of IPv6": {
			services: []*v1.Service{newService("a", "10.43.0.5", func(service *v1.Service) {
				service.Spec.ExternalIPs = []string{"203.0.113.9", nodeAddress.String(), "2001:db8::1"}
			})},
			want: []string{"cluster 10.43.0.5:80/TCP a:", "external 203.0.113.9:80/TCP a:", "node 80/TCP a:"},
		},
		"externalIP that is no address of a host": {
			services: []*v1.Service{newService("a", "10.43.0.5", func(service *v1.Service) {
				service.Spec.ExternalIPs = []string{"127.0.0.1", "nonsense"}
			})},
			want:     []string{"cluster 10.43.0.5:80/TCP a:"},
			problems: []string{"a InvalidAddress", "a InvalidAddress"},
		},
		"externalIP that is a ClusterIP": {
			services: []*v1.Service{
				newService("thief", "10.43.0.5", func(service *v1.Service) { service.Spec.ExternalIPs = []string{"10.43.0.6"} }),
				newService("victim", "10.43.0.6", createdAtMinute(1)),
			},
			want:     []string{"cluster 10.43.0.5:80/TCP thief:", "cluster 10.43.0.6:80/TCP victim:"},
			problems: []string{"thief PortConflict"},
		},
		"LoadBalancer without a status yet": {
			services: []*v1.Service{newService("a", "10.43.0.5", nodePort(30080), loadBalancer())},
			want:     []string{"balancer a", "cluster 10.43.0.5:80/TCP a:", "node 30080/TCP a:", "node 80/TCP a:"},
		},
		"LoadBalancer with the node's and a foreign address": {
			services: []*v1.Service{newService("a", "10.43.0.5", loadBalancer(
				v1.LoadBalancerIngress{IP: nodeAddress.String(), IPMode: &vip}, v1.LoadBalancerIngress{IP: "203.0.113.9", IPMode: &vip},
				v1.LoadBalancerIngress{Hostname: "a.example"}))},
			want: []string{"balancer a", "cluster 10.43.0.5:80/TCP a:", "external 203.0.113.9:80/TCP a:", "node 80/TCP a:"},
		},
		"LoadBalancer of another class": {
			services: []*v1.Service{newService("a", "10.43.0.5", withClass("example.com/lb"), loadBalancer(
				v1.LoadBalancerIngress{IP: "203.0.113.9", IPMode: &vip}, v1.LoadBalancerIngress{IP: "203.0.113.10", IPMode: &proxy}))},
			want: []string{"cluster 10.43.0.5:80/TCP a:", "external 203.0.113.9:80/TCP a:"},
		},
		"LoadBalancer with loadBalancerIP": {
			services: []*v1.Service{newService("a", "10.43.0.5", loadBalancer(), func(service *v1.Service) {
				service.Spec.LoadBalancerIP = "203.0.113.9"
			})},
			want: []string{"balancer a", "cluster 10.43.0.5:80/TCP a:", "node 80/TCP a:"},
		},
		"two LoadBalancers with the same port": {
			services: []*v1.Service{
				newService("young", "10.43.0.6", loadBalancer(), createdAtMinute(1)),
				newService("old", "10.43.0.5", loadBalancer()),
			},
			want:     []string{"balancer old", "cluster 10.43.0.5:80/TCP old:", "cluster 10.43.0.6:80/TCP young:", "node 80/TCP old:"},
			problems: []string{"young PortConflict"},
		},
		"LoadBalancer at a port that is a younger Service's NodePort": {
			services: []*v1.Service{
				newService("old", "10.43.0.5", withPorts(v1.ServicePort{Port: 30080}), loadBalancer()),
				newService("young", "10.43.0.6", nodePort(30080), createdAtMinute(1)),
			},
			want:     []string{"cluster 10.43.0.5:30080/TCP old:", "cluster 10.43.0.6:80/TCP young:", "node 30080/TCP young:"},
			problems: []string{"old PortConflict"},
		},
		"numbers that are no ports": {
			services: []*v1.Service{nil, newService("a", "10.43.0.5", withPorts(
				v1.ServicePort{Name: "zero", Port: 0}, v1.ServicePort{Name: "large", Port: 65536},
				v1.ServicePort{Name: "node", Port: 65535, NodePort: -1}))},
			want:     []string{"cluster 10.43.0.5:65535/TCP a:node"},
			problems: []string{"a InvalidPort", "a InvalidPort", "a InvalidPort"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot, problems := Build(test.services, nil, thisNode)
			if got := frontendsOf(snapshot); !slices.Equal(got, test.want) {
				t.Errorf("frontends\n got %q\nwant %q", got, test.want)
			}
			reasons := []string{}
			for _, problem := range problems {
				reasons = append(reasons, problem.Object.Name+" "+problem.Reason)
				if problem.Object.Kind != "Service" || problem.Object.UID == "" || problem.Message == "" {
					t.Errorf("incomplete: %+v", problem)
				}
			}
			if !slices.Equal(reasons, test.problems) {
				t.Errorf("problems %q, want %q", problems, test.problems)
			}
		})
	}
}

func TestSourceRanges(t *testing.T) {
	tests := map[string]struct {
		ranges []string
		// want is "all", or the ranges.
		want     string
		problems int
	}{
		"none":               {nil, "all", 0},
		"one with a space":   {[]string{" 192.0.2.0/24"}, "[192.0.2.0/24]", 0},
		"one is all":         {[]string{"192.0.2.0/24", "0.0.0.0/0"}, "all", 0},
		"only IPv6":          {[]string{"2001:db8::/32"}, "[]", 0},
		"not a range":        {[]string{"192.0.2.1"}, "[]", 1},
		"host bits are zero": {[]string{"192.0.2.7/24"}, "[192.0.2.0/24]", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service := newService("a", "10.43.0.5", nodePort(30080), loadBalancer(), func(service *v1.Service) {
				service.Spec.LoadBalancerSourceRanges = test.ranges
			})
			snapshot, problems := Build([]*v1.Service{service}, nil, thisNode)
			port := snapshot.Node[NodeFrontend{v1.ProtocolTCP, 80}]
			got := "all"
			if port.Sources != nil {
				got = fmt.Sprint(port.Sources)
			}
			if got != test.want || len(problems) != test.problems {
				t.Errorf("sources %s, problems %v; want %s and %d", got, problems, test.want, test.problems)
			}
			if snapshot.Node[NodeFrontend{v1.ProtocolTCP, 30080}].Sources != nil || snapshot.Cluster[tcp("10.43.0.5:80")].Sources != nil {
				t.Error("NodePort or ClusterIP is limited too")
			}
		})
	}
}

func TestClusterIPsInTheLoopbackRange(t *testing.T) {
	services := []*v1.Service{newService("in", "127.43.0.5"), newService("beside", "127.0.0.5"), newService("usual", "10.43.0.5")}
	for name, test := range map[string]struct {
		within netip.Prefix
		want   []string
	}{
		"are served in host-network mode": {netip.MustParsePrefix("127.43.0.0/16"), []string{"cluster 10.43.0.5:80/TCP usual:", "cluster 127.43.0.5:80/TCP in:"}},
		"are not served otherwise":        {netip.Prefix{}, []string{"cluster 10.43.0.5:80/TCP usual:"}},
	} {
		t.Run(name, func(t *testing.T) {
			node := thisNode
			node.LoopbackRange = test.within
			snapshot, _ := Build(services, nil, node)
			if got := frontendsOf(snapshot); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
