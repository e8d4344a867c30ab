package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var (
	testNode = Node{
		Addresses:    []netip.Addr{netip.MustParseAddr("10.42.0.1"), netip.MustParseAddr("10.42.0.254")},
		ServiceRange: netip.MustParsePrefix("10.43.0.0/16"),
	}
	outside = netip.MustParseAddr("192.0.2.7")
)

// probe is a flow by the names of its ends: x/a is pod a in namespace x.
type probe struct {
	from, to string
	protocol v1.Protocol
	port     uint16
}

// world is the model of the upstream suite (test/e2e/network/netpol): pods a, b and c
// in the namespaces x, y and z, each of which serves ports 80 and 81 by each protocol.
func world() ([]*v1.Pod, []*v1.Namespace) {
	var pods []*v1.Pod
	var namespaces []*v1.Namespace
	for i, namespace := range []string{"x", "y", "z"} {
		namespaces = append(namespaces, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: namespace, Labels: map[string]string{"ns": namespace, "kubernetes.io/metadata.name": namespace},
		}})
		for j, name := range []string{"a", "b", "c"} {
			pods = append(pods, newPod(namespace, name, fmt.Sprintf("10.42.0.%d", 10+10*i+j)))
		}
	}
	return pods, namespaces
}

func newPod(namespace, name, address string) *v1.Pod {
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"pod": name}},
		Status:     v1.PodStatus{Phase: v1.PodRunning, PodIP: address, PodIPs: []v1.PodIP{{IP: address}}},
	}
	for _, port := range []int32{80, 81} {
		for protocol, suffix := range map[v1.Protocol]string{v1.ProtocolTCP: "tcp", v1.ProtocolUDP: "udp", v1.ProtocolSCTP: "sctp"} {
			pod.Spec.Containers = append(pod.Spec.Containers, v1.Container{
				Ports: []v1.ContainerPort{{ContainerPort: port, Name: fmt.Sprintf("serve-%d-%s", port, suffix), Protocol: protocol}},
			})
		}
	}
	return pod
}

func policies(t *testing.T, specs ...string) []*networkingv1.NetworkPolicy {
	t.Helper()
	var made []*networkingv1.NetworkPolicy
	for i, spec := range specs {
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: fmt.Sprint("policy-", i)}}
		if err := yaml.UnmarshalStrict([]byte(spec), &policy.Spec); err != nil {
			t.Fatalf("%v in %s", err, spec)
		}
		made = append(made, policy)
	}
	return made
}

func addressOf(pods []*v1.Pod, name string) netip.Addr {
	if name == "outside" {
		return outside
	}
	if name == "node" {
		return testNode.Addresses[0]
	}
	for _, pod := range pods {
		if pod.Namespace+"/"+pod.Name == name {
			return netip.MustParseAddr(pod.Status.PodIP)
		}
	}
	return netip.Addr{}
}

// in is true for a pod of the namespace, and is for one of the names.
func in(namespace, pod string) bool       { return pod[:1] == namespace && len(pod) == 3 }
func is(pod string, names ...string) bool { return slices.Contains(names, pod) }
func (p probe) tcp(ports ...uint16) bool {
	return p.protocol == v1.ProtocolTCP && slices.Contains(ports, p.port)
}
func (p probe) onlyFor(pod string, ok bool) bool { return p.to != pod || ok }

func TestAllows(t *testing.T) {
	tests := []struct {
		name  string
		specs []string
		// allowed is asked about flows between different ends that the node has no part in.
		allowed func(probe) bool
	}{
		{"no policy", nil, func(probe) bool { return true }},
		{"default deny ingress", []string{`podSelector: {}`},
			func(p probe) bool { return !in("x", p.to) }},
		{"default deny all", []string{`{podSelector: {}, policyTypes: [Ingress, Egress]}`},
			func(p probe) bool { return !in("x", p.to) && !in("x", p.from) }},
		{"empty rule lists deny", []string{`{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [], egress: []}`},
			func(p probe) bool { return !in("x", p.to) && !in("x", p.from) }},
		{"only Egress leaves ingress alone", []string{`{podSelector: {}, policyTypes: [Egress]}`},
			func(p probe) bool { return !in("x", p.from) }},
		{"egress rules imply both types", []string{`{podSelector: {matchLabels: {pod: a}}, egress: [{}]}`},
			func(p probe) bool { return p.to != "x/a" }},
		{"ingress rules imply no egress", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{}]}`},
			func(probe) bool { return true }},
		{"allow all", []string{`{podSelector: {}, ingress: [{}]}`}, func(probe) bool { return true }},
		{"empty from allows all", []string{`{podSelector: {}, ingress: [{from: [], ports: [{port: 80}]}]}`},
			func(p probe) bool { return !in("x", p.to) || p.tcp(80) }},
		{"pod selector in the policy's namespace",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", is(p.from, "x/b")) }},
		{"empty pod selector is the whole namespace and no other",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{podSelector: {}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", in("x", p.from)) }},
		{"empty namespace selector is every pod but nothing outside",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{namespaceSelector: {}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", p.from != "outside") }},
		{"namespace selector",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: "y"}}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", in("y", p.from)) }},
		{"namespace by its default label",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [x]}]}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", in("y", p.from) || in("z", p.from)) }},
		{"match expressions",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{podSelector: {matchExpressions: [{key: pod, operator: In, values: [b]}]}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", is(p.from, "x/b")) }},
		{"pod selector or namespace selector",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}, {namespaceSelector: {matchLabels: {ns: "y"}}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", is(p.from, "x/b") || in("y", p.from)) }},
		{"pod selector and namespace selector",
			[]string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{podSelector: {matchLabels: {pod: b}}, namespaceSelector: {matchLabels: {ns: "y"}}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", is(p.from, "y/b")) }},
		{"ports", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{port: 81}], from: [{namespaceSelector: {matchLabels: {ns: "y"}}}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", in("y", p.from) && p.tcp(81)) }},
		{"end port", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{port: 79, endPort: 80}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", p.tcp(80)) }},
		{"protocol without port", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{protocol: UDP}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", p.protocol == v1.ProtocolUDP) }},
		{"SCTP is not TCP", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{protocol: SCTP, port: 81}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", p.protocol == v1.ProtocolSCTP && p.port == 81) }},
		{"named port", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{port: serve-81-tcp}]}]}`},
			func(p probe) bool { return p.onlyFor("x/a", p.tcp(81)) }},
		{"named port of another protocol", []string{`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{port: serve-81-udp}]}]}`},
			func(p probe) bool { return p.to != "x/a" }},
		{"named port of egress is the destination's", []string{`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{ports: [{port: serve-80-tcp}]}]}`},
			func(p probe) bool { return p.from != "x/a" || p.to != "outside" && p.tcp(80) }},
		{"stacked policies add up", []string{
			`{podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{port: 80}], from: [{namespaceSelector: {matchLabels: {ns: "y"}}}]}]}`,
			`{podSelector: {}, ingress: [{ports: [{port: 81}], from: [{namespaceSelector: {matchLabels: {ns: "y"}}}]}]}`},
			func(p probe) bool {
				return !in("x", p.to) || in("y", p.from) && (p.tcp(81) || p.to == "x/a" && p.tcp(80))
			}},
		{"ingress allow-all beats deny", []string{`podSelector: {}`, `{podSelector: {}, ingress: [{}]}`}, func(probe) bool { return true }},
		{"egress allow-all beats deny",
			[]string{`{podSelector: {}, policyTypes: [Egress]}`, `{podSelector: {}, policyTypes: [Egress], egress: [{}]}`}, func(probe) bool { return true }},
		{"both ends must allow", []string{
			`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {pod: b}}}]}]}`,
			`{podSelector: {matchLabels: {pod: b}}, ingress: [{from: [{podSelector: {matchLabels: {pod: c}}}]}]}`},
			func(p probe) bool { return p.from != "x/a" && p.onlyFor("x/b", is(p.from, "x/c")) }},
		{"egress to a pod in another namespace",
			[]string{`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {ns: "y"}}, podSelector: {matchLabels: {pod: a}}}]}]}`},
			func(p probe) bool { return p.from != "x/a" || is(p.to, "y/a") }},
		{"egress to a block", []string{`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.42.0.10/31}}]}]}`},
			func(p probe) bool { return p.from != "x/a" || is(p.to, "x/b") }},
		{"egress to a block with a hole",
			[]string{`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.42.0.11/32]}}]}]}`},
			func(p probe) bool { return p.from != "x/a" || !is(p.to, "x/b") }},
		{"an address in the hole of one block and in another is allowed", []string{
			`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.42.0.0/24, except: [10.42.0.11/32]}}, {ipBlock: {cidr: 10.42.0.11/32}}]}]}`},
			func(p probe) bool { return p.from != "x/a" || p.to != "outside" }},
		{"ingress from outside", []string{`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}`},
			func(p probe) bool { return !in("x", p.to) || p.from == "outside" }},
		{"selects no pod", []string{`{podSelector: {matchLabels: {pod: q}}, policyTypes: [Ingress, Egress]}`}, func(probe) bool { return true }},
		{"IPv6 blocks match nothing", []string{`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "::/0"}}]}]}`},
			func(p probe) bool { return !in("x", p.to) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pods, namespaces := world()
			rules := Build(policies(t, test.specs...), pods, namespaces, testNode)
			for _, p := range probes(pods) {
				want := p.from == p.to || p.from == "node" || p.to == "node" || test.allowed(p)
				flow := Flow{Source: addressOf(pods, p.from), Destination: addressOf(pods, p.to), Protocol: p.protocol, Port: p.port}
				if got := rules.Allows(flow); got != want {
					t.Errorf("%s -> %s %s/%d: %t, want %t", p.from, p.to, p.protocol, p.port, got, want)
				}
			}
		})
	}
}

func probes(pods []*v1.Pod) []probe {
	ends := []string{"node", "outside"}
	for _, pod := range pods {
		ends = append(ends, pod.Namespace+"/"+pod.Name)
	}
	var all []probe
	for _, from := range ends {
		for _, to := range ends {
			for _, protocol := range []v1.Protocol{v1.ProtocolTCP, v1.ProtocolUDP, v1.ProtocolSCTP} {
				for _, port := range []uint16{80, 81} {
					all = append(all, probe{from: from, to: to, protocol: protocol, port: port})
				}
			}
		}
	}
	return all
}

func TestServicesAreJudgedBehindTheProxy(t *testing.T) {
	pods, namespaces := world()
	rules := Build(policies(t, `{podSelector: {}, policyTypes: [Ingress, Egress]}`), pods, namespaces, testNode)
	for address, want := range map[string]bool{"10.43.0.10": true, "10.42.0.254": true, "10.44.0.1": false} {
		flow := Flow{Source: addressOf(pods, "x/a"), Destination: netip.MustParseAddr(address), Protocol: v1.ProtocolTCP, Port: 80}
		if got := rules.Allows(flow); got != want {
			t.Errorf("x/a -> %s: %t, want %t", address, got, want)
		}
	}
}

func TestServicesAreJudgedByTheirEndpoints(t *testing.T) {
	pods, namespaces := world()
	node := testNode
	node.Endpoints = func(protocol v1.Protocol, frontend netip.AddrPort) []netip.AddrPort {
		var endpoints []netip.AddrPort
		for _, name := range map[string][]string{
			"10.43.0.10:80": {"x/a"},
			"10.43.0.11:80": {"x/a", "y/a"},
		}[frontend.String()] {
			endpoints = append(endpoints, netip.AddrPortFrom(addressOf(pods, name), 81))
		}
		return endpoints
	}
	rules := Build(policies(t, `{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}], ports: [{port: 81}]}]}`), pods, namespaces, node)
	for _, test := range []struct {
		from, frontend string
		want           bool
	}{
		{"x/b", "10.43.0.10:80", true},
		{"x/c", "10.43.0.10:80", false},
		{"y/a", "10.43.0.10:80", false},
		{"node", "10.43.0.10:80", true},
		{"x/a", "10.43.0.10:80", true},
		{"x/c", "10.43.0.11:80", true},
		{"x/c", "10.43.0.12:80", true},
		{"x/c", "10.43.0.10:443", true},
	} {
		frontend := netip.MustParseAddrPort(test.frontend)
		flow := Flow{Source: addressOf(pods, test.from), Destination: frontend.Addr(), Protocol: v1.ProtocolTCP, Port: frontend.Port()}
		if got := rules.Allows(flow); got != test.want {
			t.Errorf("%s -> %s: %t, want %t", test.from, test.frontend, got, test.want)
		}
	}
}

func TestICMPNeedsARuleWithoutPorts(t *testing.T) {
	pods, namespaces := world()
	for spec, want := range map[string]bool{
		`podSelector: {}`:                                                                false,
		`{podSelector: {}, ingress: [{}]}`:                                               true,
		`{podSelector: {}, ingress: [{ports: [{protocol: TCP}]}]}`:                       false,
		`{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}`:                true,
		`{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 80}]}]}`:      true,
		`{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: []}`:   true,
		`{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {pod: a}}}]}]}`: false,
	} {
		rules := Build(policies(t, spec), pods, namespaces, testNode)
		flow := Flow{Source: addressOf(pods, "y/a"), Destination: addressOf(pods, "x/a"), Protocol: ICMP}
		if got := rules.Allows(flow); got != want {
			t.Errorf("%s: %t, want %t", spec, got, want)
		}
	}
}

func TestWhoHasAnAddress(t *testing.T) {
	denied := `{podSelector: {matchLabels: {pod: b}}}`
	now := metav1.Now()
	later := metav1.NewTime(now.Add(time.Minute))
	tests := []struct {
		name string
		// change alters x/b, which the policy selects, and a newer pod x/new, which it does
		// not, and which has the same address.
		change   func(selected, other *v1.Pod)
		selected bool
	}{
		{"the newer pod", func(_, other *v1.Pod) { other.CreationTimestamp = later }, false},
		{"not the older pod", func(selected, other *v1.Pod) {
			selected.CreationTimestamp, other.CreationTimestamp = later, now
		}, true},
		{"a pod that ends", func(_, other *v1.Pod) { other.Status.Phase = v1.PodSucceeded }, true},
		{"a pod that has failed", func(selected, _ *v1.Pod) { selected.Status.Phase = v1.PodFailed }, false},
		{"a pod that is being deleted, as long as no other has it", func(selected, other *v1.Pod) {
			selected.DeletionTimestamp, other.Status.PodIP, other.Status.PodIPs = &now, "", nil
		}, true},
		{"not a pod that is being deleted", func(selected, other *v1.Pod) {
			selected.DeletionTimestamp, selected.CreationTimestamp = &now, later
		}, false},
		{"not a pod on the host network", func(selected, _ *v1.Pod) { selected.Spec.HostNetwork = true }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pods, namespaces := world()
			selected := pods[1]
			other := newPod("x", "new", selected.Status.PodIP)
			test.change(selected, other)
			rules := Build(policies(t, denied), append(pods, other), namespaces, testNode)
			if _, got := rules.Selected()[netip.MustParseAddr("10.42.0.11")]; got != test.selected {
				t.Errorf("selected: %t, want %t", got, test.selected)
			}
		})
	}
}

func TestSelected(t *testing.T) {
	pods, namespaces := world()
	rules := Build(policies(t,
		`{podSelector: {matchLabels: {pod: a}}, ingress: [{}]}`,
		`{podSelector: {matchExpressions: [{key: pod, operator: In, values: [a, b]}]}, policyTypes: [Egress]}`,
	), pods, namespaces, testNode)
	want := map[netip.Addr]Isolation{
		addressOf(pods, "x/a"): {Ingress: true, Egress: true},
		addressOf(pods, "x/b"): {Egress: true},
	}
	got := rules.Selected()
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for address, isolation := range want {
		if got[address] != isolation {
			t.Errorf("%s: %+v, want %+v", address, got[address], isolation)
		}
	}
}

func TestProblems(t *testing.T) {
	pods, namespaces := world()
	for spec, want := range map[string]string{
		`podSelector: {}`: "",
		`{podSelector: {}, ingress: [{}, {from: [{ipBlock: {cidr: "2001:db8::/32"}}]}]}`: `spec.ingress[1].from: ipBlock: 2001:db8::/32 matches nothing: pods have IPv4 addresses only`,
		`{podSelector: {matchExpressions: [{key: pod, operator: Near}]}}`:                `spec: podSelector: "Near" is not a valid label selector operator`,
	} {
		problems := Build(policies(t, spec), pods, namespaces, testNode).Problems()
		switch {
		case want == "" && len(problems) == 0:
		case len(problems) != 1 || problems[0].Message != want || problems[0].Policy.String() != "x/policy-0":
			t.Errorf("%s: %v, want %q", spec, problems, want)
		}
	}
}

func TestNamedPortsOfSidecars(t *testing.T) {
	pods, namespaces := world()
	always := v1.ContainerRestartPolicyAlways
	port := func(name string, number int32) []v1.ContainerPort {
		return []v1.ContainerPort{{Name: name, ContainerPort: number}}
	}
	pods[0].Spec.InitContainers = []v1.Container{
		{Ports: port("sidecar", 90), RestartPolicy: &always},
		{Ports: port("first", 91)},
	}
	rules := Build(policies(t, `{podSelector: {}, ingress: [{ports: [{port: sidecar}, {port: first}]}]}`), pods, namespaces, testNode)
	for number, want := range map[uint16]bool{90: true, 91: false} {
		flow := Flow{Source: outside, Destination: addressOf(pods, "x/a"), Protocol: v1.ProtocolTCP, Port: number}
		if got := rules.Allows(flow); got != want {
			t.Errorf("port %d: %t, want %t", number, got, want)
		}
	}
}

func BenchmarkAllows(b *testing.B) {
	pods, namespaces := world()
	var made []*networkingv1.NetworkPolicy
	for i := range 20 {
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: fmt.Sprint(i)}}
		spec := `{podSelector: {}, ingress: [{ports: [{port: 80}], from: [{podSelector: {matchLabels: {pod: b}}}]}]}`
		if err := yaml.Unmarshal([]byte(spec), &policy.Spec); err != nil {
			b.Fatal(err)
		}
		made = append(made, policy)
	}
	rules := Build(made, pods, namespaces, testNode)
	flow := Flow{Source: addressOf(pods, "x/c"), Destination: addressOf(pods, "x/a"), Protocol: v1.ProtocolTCP, Port: 80}
	for b.Loop() {
		if rules.Allows(flow) {
			b.Fatal("allowed")
		}
	}
}
