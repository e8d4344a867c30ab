package policy

import (
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// strip is a cache.TransformFunc that keeps what Build reads, and what informers need
// to tell objects and their versions apart: most of a pod is neither.
func strip(object any) (any, error) {
	switch full := object.(type) {
	case *v1.Pod:
		return &v1.Pod{
			ObjectMeta: stripMeta(&full.ObjectMeta),
			Spec: v1.PodSpec{
				HostNetwork:    full.Spec.HostNetwork,
				Containers:     stripContainers(full.Spec.Containers),
				InitContainers: stripContainers(full.Spec.InitContainers),
			},
			Status: v1.PodStatus{Phase: full.Status.Phase, PodIP: full.Status.PodIP, PodIPs: full.Status.PodIPs},
		}, nil
	case *v1.Namespace:
		return &v1.Namespace{ObjectMeta: stripMeta(&full.ObjectMeta)}, nil
	case *networkingv1.NetworkPolicy:
		return &networkingv1.NetworkPolicy{ObjectMeta: stripMeta(&full.ObjectMeta), Spec: full.Spec}, nil
	}
	return object, nil
}

func stripMeta(full *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace:         full.Namespace,
		Name:              full.Name,
		UID:               full.UID,
		ResourceVersion:   full.ResourceVersion,
		CreationTimestamp: full.CreationTimestamp,
		DeletionTimestamp: full.DeletionTimestamp,
		Labels:            full.Labels,
	}
}

func stripContainers(full []v1.Container) []v1.Container {
	var kept []v1.Container
	for i := range full {
		if len(full[i].Ports) > 0 {
			kept = append(kept, v1.Container{Name: full[i].Name, Ports: full[i].Ports, RestartPolicy: full[i].RestartPolicy})
		}
	}
	return kept
}
