package portclash

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"sandkube.dev/runtime/network/internal/nodepods"
)

// Watch follows the pods of all nodes until ctx is done, and reports each clash once.
func Watch(ctx context.Context, client kubernetes.Interface, sharing Sharing, report func(Clash)) error {
	var told map[Clash]bool
	return nodepods.Watch(ctx, client, func(pods []*v1.Pod) {
		found := make(map[Clash]bool)
		for _, clash := range sharing.Find(pods) {
			found[clash] = true
			if !told[clash] {
				report(clash)
			}
		}
		told = found
	})
}
