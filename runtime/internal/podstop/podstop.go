// Package podstop stops all pods of a node through the CRI.
package podstop

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// gracePeriodAnnotation is where the kubelet notes a pod's grace period, in seconds
// (k8s.io/kubernetes/pkg/kubelet/kuberuntime/labels.go).
const gracePeriodAnnotation = "io.kubernetes.pod.terminationGracePeriod"

// defaultGrace is the grace period of a pod that names none.
const defaultGrace = 30 * time.Second

// StopAll stops every running container, each with its pod's grace period, all at
// the same time, and then every pod sandbox. Stopped containers stay on record, so
// that the kubelet finds how they ended. The kubelet must have stopped before.
func StopAll(ctx context.Context, socket string) error {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to containerd: %w", err)
	}
	defer connection.Close()
	client := cri.NewRuntimeServiceClient(connection)
	return errors.Join(stopContainers(ctx, client), stopSandboxes(ctx, client))
}

func stopContainers(ctx context.Context, client cri.RuntimeServiceClient) error {
	list, err := client.ListContainers(ctx, &cri.ListContainersRequest{
		Filter: &cri.ContainerFilter{State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}},
	})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	return each(list.Containers, func(container *cri.Container) error {
		_, err := client.StopContainer(ctx, &cri.StopContainerRequest{
			ContainerId: container.Id,
			Timeout:     int64(gracePeriod(container).Seconds()),
		})
		if err != nil {
			return fmt.Errorf("stop container %s (%s): %w", container.GetMetadata().GetName(), container.Id, err)
		}
		return nil
	})
}

func gracePeriod(container *cri.Container) time.Duration {
	seconds, err := strconv.ParseInt(container.Annotations[gracePeriodAnnotation], 10, 64)
	if err != nil || seconds < 0 {
		return defaultGrace
	}
	return time.Duration(seconds) * time.Second
}

func stopSandboxes(ctx context.Context, client cri.RuntimeServiceClient) error {
	list, err := client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{
		Filter: &cri.PodSandboxFilter{State: &cri.PodSandboxStateValue{State: cri.PodSandboxState_SANDBOX_READY}},
	})
	if err != nil {
		return fmt.Errorf("list pod sandboxes: %w", err)
	}
	return each(list.Items, func(sandbox *cri.PodSandbox) error {
		if _, err := client.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: sandbox.Id}); err != nil {
			return fmt.Errorf("stop pod sandbox %s: %w", sandbox.GetMetadata().GetName(), err)
		}
		return nil
	})
}

// each calls do for all items at the same time and joins the errors.
func each[T any](items []T, do func(T) error) error {
	errs := make([]error, len(items))
	var group sync.WaitGroup
	for index, item := range items {
		group.Go(func() { errs[index] = do(item) })
	}
	group.Wait()
	return errors.Join(errs...)
}
