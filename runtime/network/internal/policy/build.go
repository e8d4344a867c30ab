package policy

import (
	"fmt"
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Build compiles policies against the pods and namespaces that they can select. It
// keeps nothing of what it is given.
func Build(policies []*networkingv1.NetworkPolicy, pods []*v1.Pod, namespaces []*v1.Namespace, node Node) *Rules {
	rules := &Rules{node: node}
	rules.node.Addresses = slices.Clone(node.Addresses)
	if len(policies) == 0 {
		return rules
	}
	cluster := newCluster(pods, namespaces)
	for _, policy := range policies {
		rules.add(cluster, policy)
	}
	rules.endpoints = map[netip.Addr]*endpoint{}
	for _, inNamespace := range cluster.pods {
		for _, pod := range inNamespace {
			for _, address := range pod.addresses {
				rules.endpoints[address] = pod.endpoint
			}
		}
	}
	return rules
}

func (r *Rules) add(cluster *cluster, policy *networkingv1.NetworkPolicy) {
	name := types.NamespacedName{Namespace: policy.Namespace, Name: policy.Name}
	complain := func(where string, err error) {
		r.problems = append(r.problems, Problem{Policy: name, Message: fmt.Sprintf("%s: %v", where, err)})
	}
	spec := &policy.Spec
	selected, err := cluster.selectPods(policy.Namespace, &spec.PodSelector)
	if err != nil {
		complain("spec", err)
		return
	}
	if slices.Contains(typesOf(spec), networkingv1.PolicyTypeIngress) {
		var compiled []*rule
		for i, given := range spec.Ingress {
			where := fmt.Sprintf("spec.ingress[%d].from", i)
			from := cluster.compilePeers(policy.Namespace, given.From, func(err error) { complain(where, err) })
			compiled = append(compiled, &rule{peers: from, ports: compilePorts(given.Ports)})
		}
		for _, pod := range selected {
			pod.endpoint.ingress.isolate(compiled)
		}
	}
	if slices.Contains(typesOf(spec), networkingv1.PolicyTypeEgress) {
		var compiled []*rule
		for i, given := range spec.Egress {
			where := fmt.Sprintf("spec.egress[%d].to", i)
			to := cluster.compilePeers(policy.Namespace, given.To, func(err error) { complain(where, err) })
			compiled = append(compiled, &rule{peers: to, ports: compilePorts(given.Ports)})
		}
		for _, pod := range selected {
			pod.endpoint.egress.isolate(compiled)
		}
	}
}

// isolate adds the rules of one more policy: what any policy allows is allowed.
func (d *direction) isolate(rules []*rule) {
	d.isolated = true
	d.rules = append(d.rules, rules...)
}

// typesOf defaults policyTypes as the API server does: a policy is for ingress, and
// for egress too if it has rules for it.
func typesOf(spec *networkingv1.NetworkPolicySpec) []networkingv1.PolicyType {
	if len(spec.PolicyTypes) > 0 {
		return spec.PolicyTypes
	}
	if len(spec.Egress) > 0 {
		return []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	}
	return []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
}
