package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	discoveryinformers "k8s.io/client-go/informers/discovery/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// informers keep what the API says of Services and EndpointSlices in memory.
type informers struct {
	services, slices cache.SharedIndexInformer
	// synced are done once changed has been called for the first list of each.
	synced []cache.DoneChecker
}

// newInformers returns informers that call changed after each event. changed must not
// block. What other proxies serve is left out by the API server already.
func newInformers(client kubernetes.Interface, changed func(), log *slog.Logger) (*informers, error) {
	none := cache.Indexers{}
	i := &informers{
		services: coreinformers.NewFilteredServiceInformer(client, metav1.NamespaceAll, 0, none, func(options *metav1.ListOptions) {
			options.LabelSelector = "!" + serviceProxyName
		}),
		slices: discoveryinformers.NewFilteredEndpointSliceInformer(client, metav1.NamespaceAll, 0, none, func(options *metav1.ListOptions) {
			options.LabelSelector = "!" + serviceProxyName + ",!" + v1.IsHeadlessService
		}),
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changed() },
		UpdateFunc: func(any, any) { changed() },
		DeleteFunc: func(any) { changed() },
	}
	for what, informer := range map[string]cache.SharedIndexInformer{"Services": i.services, "EndpointSlices": i.slices} {
		if err := informer.SetTransform(strip); err != nil {
			return nil, fmt.Errorf("informer of %s: %w", what, err)
		}
		if err := informer.SetWatchErrorHandlerWithContext(watchErrors(what, log)); err != nil {
			return nil, fmt.Errorf("informer of %s: %w", what, err)
		}
		registration, err := informer.AddEventHandler(handler)
		if err != nil {
			return nil, fmt.Errorf("informer of %s: %w", what, err)
		}
		i.synced = append(i.synced, registration.HasSyncedChecker())
	}
	return i, nil
}

// state returns all objects. They are shared with the informers: nobody may change them.
func (i *informers) state() ([]*v1.Service, []*discoveryv1.EndpointSlice) {
	return listOf[*v1.Service](i.services), listOf[*discoveryv1.EndpointSlice](i.slices)
}

func listOf[Object any](informer cache.SharedIndexInformer) []Object {
	stored := informer.GetStore().List()
	objects := make([]Object, 0, len(stored))
	for _, object := range stored {
		if object, ok := object.(Object); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// strip removes what neither Build nor the load-balancer status reads, which is most of an
// object's size.
func strip(object any) (any, error) {
	switch object := object.(type) {
	case *v1.Service:
		stripMeta(&object.ObjectMeta)
		object.Spec.Selector = nil
		object.Status.Conditions = nil
	case *discoveryv1.EndpointSlice:
		stripMeta(&object.ObjectMeta)
		for i := range object.Endpoints {
			endpoint := &object.Endpoints[i]
			endpoint.TargetRef = nil
			endpoint.Hostname = nil
			endpoint.Zone = nil
			endpoint.Hints = nil
			endpoint.DeprecatedTopology = nil
		}
	}
	return object, nil
}

func stripMeta(meta *metav1.ObjectMeta) {
	meta.ManagedFields = nil
	meta.Annotations = nil
	meta.OwnerReferences = nil
	meta.Finalizers = nil
	meta.GenerateName = ""
	kept := map[string]string{}
	for _, label := range []string{discoveryv1.LabelServiceName, serviceProxyName, v1.IsHeadlessService} {
		if value, set := meta.Labels[label]; set {
			kept[label] = value
		}
	}
	meta.Labels = kept
	if len(kept) == 0 {
		meta.Labels = nil
	}
}

// watchErrors reports why a watch ended. The informer tries again by itself, with back-off.
func watchErrors(what string, log *slog.Logger) cache.WatchErrorHandlerWithContext {
	return func(ctx context.Context, _ *cache.Reflector, err error) {
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, io.EOF), apierrors.IsResourceExpired(err), apierrors.IsGone(err):
			log.Debug("watch ended", "objects", what, "reason", err)
		default:
			log.Warn("watch failed", "objects", what, "error", err)
		}
	}
}
