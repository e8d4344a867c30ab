package imagestore

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// The CRI learns of an image from an event. Until then a pod that must not pull is refused.
const (
	kubeletLimit    = 10 * time.Second
	kubeletInterval = 20 * time.Millisecond
)

// waitForKubelet returns when the CRI knows the images as they are now.
func (s *Store) waitForKubelet(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, kubeletLimit, fmt.Errorf("containerd's CRI does not show it after %s", kubeletLimit))
	defer cancel()
	connection, ok := s.client.Conn().(grpc.ClientConnInterface)
	if !ok {
		return fmt.Errorf("containerd's client has a connection of type %T", s.client.Conn())
	}
	service := runtime.NewImageServiceClient(connection)
	for _, name := range names {
		for {
			known, err := s.isKnown(ctx, service, name)
			if err == nil && known {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait until pods can use %s: %w", name, context.Cause(ctx))
			case <-time.After(kubeletInterval):
			}
		}
	}
	return nil
}

func (s *Store) isKnown(ctx context.Context, service runtime.ImageServiceClient, name string) (bool, error) {
	target, err := s.images.Get(ctx, name)
	if err != nil {
		return false, err
	}
	config, err := target.Config(ctx, s.content, s.platform)
	if err != nil {
		return false, err
	}
	status, err := service.ImageStatus(ctx, &runtime.ImageStatusRequest{Image: &runtime.ImageSpec{Image: name}})
	return err == nil && status.GetImage().GetId() == config.Digest.String(), err
}
