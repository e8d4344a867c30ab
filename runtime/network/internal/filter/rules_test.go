package filter

import (
	"net/netip"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sandkube.dev/runtime/network/internal/policy"
)

// rules builds what policies mean for the pods, each labelled with its name.
func (n *node) rules(policies ...*networkingv1.NetworkPolicy) *policy.Rules {
	return rulesFor(n.pods, policies...)
}

func rulesFor(pods []*pod, policies ...*networkingv1.NetworkPolicy) *policy.Rules {
	return rulesAt(pods, policy.Node{Addresses: []netip.Addr{nodeAddress}}, policies...)
}

func rulesAt(pods []*pod, node policy.Node, policies ...*networkingv1.NetworkPolicy) *policy.Rules {
	var objects []*v1.Pod
	for _, pod := range pods {
		objects = append(objects, &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: pod.name, Labels: map[string]string{"pod": pod.name}},
			Status:     v1.PodStatus{Phase: v1.PodRunning, PodIP: pod.address.String()},
		})
	}
	namespaces := []*v1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "x"}}}
	return policy.Build(policies, objects, namespaces, node)
}

// ingress lets a pod be reached by the pods from only.
func ingress(to string, from ...string) *networkingv1.NetworkPolicy {
	made := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "to-" + to}}
	made.Spec.PodSelector = *named(to)
	for _, name := range from {
		made.Spec.Ingress = append(made.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{
			From: []networkingv1.NetworkPolicyPeer{{PodSelector: named(name)}},
		})
	}
	return made
}

// egress lets a pod reach the pods to only.
func egress(from string, to ...string) *networkingv1.NetworkPolicy {
	made := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "from-" + from}}
	made.Spec.PodSelector = *named(from)
	made.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}
	for _, name := range to {
		made.Spec.Egress = append(made.Spec.Egress, networkingv1.NetworkPolicyEgressRule{
			To: []networkingv1.NetworkPolicyPeer{{PodSelector: named(name)}},
		})
	}
	return made
}

func named(pod string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"pod": pod}}
}
