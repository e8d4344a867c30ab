package portclash

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

// settleTime is how long changes are collected before they are looked at.
const settleTime = 100 * time.Millisecond

// Watch follows the pods of a node until ctx is done, and reports each clash once.
func Watch(ctx context.Context, client kubernetes.Interface, node string, report func(Clash)) error {
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
	var told map[Clash]bool
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
		found := make(map[Clash]bool)
		for _, clash := range Find(podsOf(informer.GetStore())) {
			found[clash] = true
			if !told[clash] {
				report(clash)
			}
		}
		told = found
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

// strip keeps of a pod what Find reads.
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
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			ResourceVersion: pod.ResourceVersion, CreationTimestamp: pod.CreationTimestamp,
		},
		Spec: v1.PodSpec{
			InitContainers: ports(pod.Spec.InitContainers),
			Containers:     ports(pod.Spec.Containers),
		},
		Status: v1.PodStatus{Phase: pod.Status.Phase},
	}, nil
}
