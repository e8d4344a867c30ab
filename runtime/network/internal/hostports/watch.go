package hostports

import (
	"cmp"
	"context"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"sandkube.dev/runtime/network/internal/exposure"
	"sandkube.dev/runtime/network/internal/nodepods"
)

// Watch follows the pods of all nodes until ctx is done, and calls onChange with all their
// host ports whenever they differ.
func Watch(ctx context.Context, client kubernetes.Interface, onChange func([]exposure.HostPort)) error {
	var last []exposure.HostPort
	return nodepods.Watch(ctx, client, func(pods []*v1.Pod) {
		if found := all(pods); !slices.Equal(found, last) {
			last = found
			onChange(found)
		}
	})
}

func all(pods []*v1.Pod) []exposure.HostPort {
	var found []exposure.HostPort
	for _, pod := range pods {
		found = append(found, hostPortsOf(pod)...)
	}
	slices.SortFunc(found, func(a, b exposure.HostPort) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Pod.UID, b.Pod.UID))
	})
	return found
}
