// Package nodepods follows the pods that are on nodes.
package nodepods

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// settleTime is how long changes are collected before onChange is called.
const settleTime = 50 * time.Millisecond

// Watch follows the pods of all nodes until ctx is done, and calls onChange with all of them, in
// no order, when any has changed. They are as Strip leaves them.
func Watch(ctx context.Context, client kubernetes.Interface, onChange func([]*v1.Pod)) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTransform(Strip),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermNotEqualSelector("spec.nodeName", "").String()
		}))
	informer := factory.Core().V1().Pods().Informer()
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}); err != nil {
		return fmt.Errorf("watch the pods: %w", err)
	}
	go informer.RunWithContext(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(settleTime):
		}
		onChange(podsOf(informer.GetStore()))
	}
}

func podsOf(store cache.Store) []*v1.Pod {
	var pods []*v1.Pod
	for _, object := range store.List() {
		if pod, ok := object.(*v1.Pod); ok {
			pods = append(pods, pod)
		}
	}
	return pods
}

// Ports are those of all containers of a pod that run beside each other.
func Ports(pod *v1.Pod) []v1.ContainerPort {
	var ports []v1.ContainerPort
	for _, container := range pod.Spec.InitContainers {
		if container.RestartPolicy != nil && *container.RestartPolicy == v1.ContainerRestartPolicyAlways {
			ports = append(ports, container.Ports...)
		}
	}
	for _, container := range pod.Spec.Containers {
		ports = append(ports, container.Ports...)
	}
	return ports
}

// Strip is a cache.TransformFunc that keeps of a pod its names, UID, age, node, host network,
// ports, phase and first address: most of a pod is for others.
func Strip(object any) (any, error) {
	pod, ok := object.(*v1.Pod)
	if !ok {
		return object, nil
	}
	ports := func(containers []v1.Container) []v1.Container {
		kept := make([]v1.Container, 0, len(containers))
		for _, container := range containers {
			kept = append(kept, v1.Container{Ports: container.Ports, RestartPolicy: container.RestartPolicy})
		}
		return kept
	}
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			ResourceVersion: pod.ResourceVersion, CreationTimestamp: pod.CreationTimestamp,
		},
		Spec: v1.PodSpec{
			NodeName:       pod.Spec.NodeName,
			HostNetwork:    pod.Spec.HostNetwork,
			InitContainers: ports(pod.Spec.InitContainers),
			Containers:     ports(pod.Spec.Containers),
		},
		Status: v1.PodStatus{Phase: pod.Status.Phase, PodIP: pod.Status.PodIP},
	}, nil
}
