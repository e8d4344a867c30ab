// Package kubeclient gives the runtime's roles their view of the API server.
package kubeclient

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// pollInterval is short because start-up is waited for by people.
const pollInterval = 25 * time.Millisecond

// New returns a client for a kubeconfig file.
func New(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", kubeconfig, err)
	}
	return client, nil
}

// Poll calls try until it succeeds or ctx is done. The error then tells what try last said.
func Poll(ctx context.Context, try func() error) error {
	return PollEvery(ctx, pollInterval, try)
}

// PollEvery is Poll at an interval of the caller's choice.
func PollEvery(ctx context.Context, interval time.Duration, try func() error) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: last: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// WaitReady blocks until the API server says on /readyz that it is ready.
func WaitReady(ctx context.Context, client kubernetes.Interface) error {
	return Poll(ctx, func() error {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}
