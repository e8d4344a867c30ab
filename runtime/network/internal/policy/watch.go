package policy

import (
	"context"
	"fmt"
	"reflect"
	"time"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// coalesce is how long Watch waits for more changes after one: a rollout changes many
// pods at a time.
const coalesce = 50 * time.Millisecond

// Watch calls onChange with the rules of each state of the cluster until ctx is done,
// and synced once after the first. Both are called by one goroutine. Pods and
// namespaces are watched from the first policy on only, since without one they do not
// matter. The error is that of ctx, or says why nothing can be watched.
func Watch(ctx context.Context, client kubernetes.Interface, node Node, onChange func(*Rules), synced func()) error {
	w := &watcher{changed: make(chan struct{}, 1)}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(strip))
	defer factory.Shutdown()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	policies := factory.Networking().V1().NetworkPolicies()
	if err := w.follow(ctx, factory, policies.Informer()); err != nil {
		return err
	}
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	build := func() (*Rules, error) {
		given, err := policies.Lister().List(labels.Everything())
		if err != nil {
			return nil, fmt.Errorf("list policies: %w", err)
		}
		if len(given) == 0 {
			return Build(nil, nil, nil, node), nil
		}
		if err := w.follow(ctx, factory, pods.Informer(), namespaces.Informer()); err != nil {
			return nil, err
		}
		allPods, err := pods.Lister().List(labels.Everything())
		if err != nil {
			return nil, fmt.Errorf("list pods: %w", err)
		}
		allNamespaces, err := namespaces.Lister().List(labels.Everything())
		if err != nil {
			return nil, fmt.Errorf("list namespaces: %w", err)
		}
		return Build(given, allPods, allNamespaces, node), nil
	}
	for {
		rules, err := build()
		if err != nil {
			return err
		}
		onChange(rules)
		if synced != nil {
			synced()
			synced = nil
		}
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
}

type watcher struct {
	changed  chan struct{}
	followed map[cache.SharedIndexInformer]bool
}

// follow starts informers, unless they run, and waits for what they find.
func (w *watcher) follow(ctx context.Context, factory informers.SharedInformerFactory, watched ...cache.SharedIndexInformer) error {
	for _, informer := range watched {
		if w.followed[informer] {
			continue
		}
		if _, err := informer.AddEventHandler(w.handler()); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if w.followed == nil {
			w.followed = map[cache.SharedIndexInformer]bool{}
		}
		w.followed[informer] = true
	}
	factory.Start(ctx.Done())
	for _, informer := range watched {
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return fmt.Errorf("first list of what policies depend on: %w", context.Cause(ctx))
		}
	}
	return nil
}

func (w *watcher) handler() cache.ResourceEventHandler {
	signal := func() {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { signal() },
		DeleteFunc: func(any) { signal() },
		UpdateFunc: func(before, after any) {
			if !same(before, after) {
				signal()
			}
		},
	}
}

// wait blocks until something has changed and then a little longer.
func (w *watcher) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.changed:
	}
	timer := time.NewTimer(coalesce)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	select {
	case <-w.changed:
	default:
	}
	return nil
}

// same says whether two versions of a stripped object mean the same to policies.
func same(before, after any) bool {
	switch before := before.(type) {
	case *v1.Pod:
		after, ok := after.(*v1.Pod)
		return ok && reflect.DeepEqual(before.Labels, after.Labels) &&
			reflect.DeepEqual(before.Status, after.Status) &&
			(before.DeletionTimestamp == nil) == (after.DeletionTimestamp == nil)
	case *v1.Namespace:
		after, ok := after.(*v1.Namespace)
		return ok && reflect.DeepEqual(before.Labels, after.Labels)
	case *networkingv1.NetworkPolicy:
		after, ok := after.(*networkingv1.NetworkPolicy)
		return ok && reflect.DeepEqual(before.Spec, after.Spec)
	}
	return false
}
