// Package portclash finds pods that want a port which another pod has, where they share one
// network. The API server takes them, and the scheduler does not keep them apart: container
// ports are promises, not requests, and those of hostNetwork pods are for one node.
package portclash

import (
	"cmp"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/nodepods"
)

// Clash is a port that a pod wants and an older one has.
type Clash struct {
	// Pod is the younger one.
	Pod     v1.ObjectReference
	Message string
}

// Sharing says which pods share the sandbox's network.
type Sharing struct {
	// HostNetworkOnly: those with hostNetwork, of all nodes; else all pods.
	HostNetworkOnly bool
	// Why completes the sentence that a pod is told.
	Why string
}

// claim is a port of the node's network.
type claim struct {
	protocol v1.Protocol
	port     int32
}

// Find returns the clashes among pods by the ports that their containers declare.
// The older pod has the port; one that has ended has none.
func (s Sharing) Find(pods []*v1.Pod) []Clash {
	oldestFirst := slices.SortedFunc(slices.Values(pods), func(a, b *v1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	owners := make(map[claim]*v1.Pod)
	var found []Clash
	for _, pod := range oldestFirst {
		ended := pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed
		if ended || s.HostNetworkOnly && !pod.Spec.HostNetwork {
			continue
		}
		for _, port := range nodepods.Ports(pod) {
			wanted := claim{cmp.Or(port.Protocol, v1.ProtocolTCP), port.ContainerPort}
			owner, taken := owners[wanted]
			if !taken {
				owners[wanted] = pod
				continue
			}
			if owner == pod {
				continue
			}
			found = append(found, Clash{
				Pod: v1.ObjectReference{
					Kind: "Pod", APIVersion: v1.SchemeGroupVersion.String(),
					Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
				},
				Message: fmt.Sprintf("%s port %d is pod %s/%s's: %s, where two can not listen at one port", wanted.protocol, wanted.port, owner.Namespace, owner.Name, s.Why),
			})
		}
	}
	return found
}
