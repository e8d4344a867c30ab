package hostports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"sandkube.dev/runtime/network/internal/exposure"
)

// settleTime is how long events are collected before onChange is called.
const settleTime = 20 * time.Millisecond

// Watch follows the pods of a node until ctx is done, and calls onChange with all their
// host ports whenever they differ.
func Watch(ctx context.Context, client kubernetes.Interface, node string, onChange func([]exposure.HostPort)) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTransform(strip),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
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
		return fmt.Errorf("watch the pods of node %s: %w", node, err)
	}
	go informer.RunWithContext(ctx)
	var last []exposure.HostPort
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
		if found := all(informer.GetStore()); !slices.Equal(found, last) {
			last = found
			onChange(found)
		}
	}
}

func all(pods cache.Store) []exposure.HostPort {
	var found []exposure.HostPort
	for _, object := range pods.List() {
		if pod, ok := object.(*v1.Pod); ok {
			found = append(found, hostPortsOf(pod)...)
		}
	}
	slices.SortFunc(found, func(a, b exposure.HostPort) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Pod.UID, b.Pod.UID))
	})
	return found
}

// strip keeps of a pod what hostPortsOf reads.
func strip(object any) (any, error) {
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
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
		},
		Spec: v1.PodSpec{
			HostNetwork:    pod.Spec.HostNetwork,
			InitContainers: ports(pod.Spec.InitContainers),
			Containers:     ports(pod.Spec.Containers),
		},
		Status: v1.PodStatus{Phase: pod.Status.Phase, PodIP: pod.Status.PodIP},
	}, nil
}
