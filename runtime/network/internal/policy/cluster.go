package policy

import (
	"fmt"
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// cluster is what selectors are matched against.
type cluster struct {
	namespaces map[string]labels.Set
	pods       map[string][]*pod
}

// pod is a pod that has addresses of its own.
type pod struct {
	labels    labels.Set
	addresses []netip.Addr
	endpoint  *endpoint
}

func newCluster(pods []*v1.Pod, namespaces []*v1.Namespace) *cluster {
	made := &cluster{namespaces: map[string]labels.Set{}, pods: map[string][]*pod{}}
	for _, namespace := range namespaces {
		made.namespaces[namespace.Name] = namespace.Labels
	}
	owned := map[*v1.Pod][]netip.Addr{}
	for address, owner := range owners(pods) {
		owned[owner] = append(owned[owner], address)
	}
	for owner, addresses := range owned {
		made.pods[owner.Namespace] = append(made.pods[owner.Namespace], &pod{
			labels:    owner.Labels,
			addresses: addresses,
			endpoint:  &endpoint{named: namedPorts(&owner.Spec)},
		})
	}
	return made
}

// owners returns the pod that has each address. A pod on the host network has the
// node's address, which is nobody's, and one that has ended has none any more.
func owners(pods []*v1.Pod) map[netip.Addr]*v1.Pod {
	found := map[netip.Addr]*v1.Pod{}
	for _, candidate := range pods {
		phase := candidate.Status.Phase
		if candidate.Spec.HostNetwork || phase == v1.PodSucceeded || phase == v1.PodFailed {
			continue
		}
		for _, address := range addressesOf(candidate) {
			if holder := found[address]; holder == nil || succeeds(candidate, holder) {
				found[address] = candidate
			}
		}
	}
	return found
}

// succeeds says which of two pods that both claim an address has it: a pod that is
// being deleted may have lost it to a newer one already.
func succeeds(candidate, holder *v1.Pod) bool {
	leaving, left := candidate.DeletionTimestamp != nil, holder.DeletionTimestamp != nil
	if leaving != left {
		return left
	}
	return holder.CreationTimestamp.Before(&candidate.CreationTimestamp)
}

func addressesOf(pod *v1.Pod) []netip.Addr {
	var addresses []netip.Addr
	add := func(text string) {
		address, err := netip.ParseAddr(text)
		if err == nil && !slices.Contains(addresses, address.Unmap()) {
			addresses = append(addresses, address.Unmap())
		}
	}
	add(pod.Status.PodIP)
	for _, entry := range pod.Status.PodIPs {
		add(entry.IP)
	}
	return addresses
}

// selectPods returns the pods of one namespace that a selector matches.
func (c *cluster) selectPods(namespace string, selector *metav1.LabelSelector) ([]*pod, error) {
	matcher, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("podSelector: %w", err)
	}
	return c.matching(namespace, matcher), nil
}

func (c *cluster) matching(namespace string, matcher labels.Selector) []*pod {
	var matched []*pod
	for _, candidate := range c.pods[namespace] {
		if matcher.Matches(candidate.labels) {
			matched = append(matched, candidate)
		}
	}
	return matched
}

// selectPeers returns the pods that a peer of a policy in the namespace stands for.
func (c *cluster) selectPeers(namespace string, peer *networkingv1.NetworkPolicyPeer) ([]*pod, error) {
	matcher := labels.Everything()
	var err error
	if peer.PodSelector != nil {
		if matcher, err = metav1.LabelSelectorAsSelector(peer.PodSelector); err != nil {
			return nil, fmt.Errorf("podSelector: %w", err)
		}
	}
	if peer.NamespaceSelector == nil {
		if peer.PodSelector == nil {
			return nil, nil
		}
		return c.matching(namespace, matcher), nil
	}
	inNamespaces, err := metav1.LabelSelectorAsSelector(peer.NamespaceSelector)
	if err != nil {
		return nil, fmt.Errorf("namespaceSelector: %w", err)
	}
	var matched []*pod
	for name, labels := range c.namespaces {
		if inNamespaces.Matches(labels) {
			matched = append(matched, c.matching(name, matcher)...)
		}
	}
	return matched, nil
}
