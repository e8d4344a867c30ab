package main

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sandkube.dev/runtime/internal/kubeclient"
)

// accessInterval is long enough to leave the processor to the API server, which starts
// meanwhile, and short beside the time from then until pods can be scheduled.
const accessInterval = 150 * time.Millisecond

// waitForAccess blocks until the API server lets this role read Services: before that,
// informers would be refused, and wait for longer and longer.
func (n *network) waitForAccess(ctx context.Context, ready func()) error {
	err := kubeclient.PollEvery(ctx, accessInterval, func() error {
		_, err := n.client.CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: 1})
		return err
	})
	if err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return nil
}
