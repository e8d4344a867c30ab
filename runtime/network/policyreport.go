package main

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// reasonNotEnforced is the reason of events about a policy that has no effect.
const reasonNotEnforced = "NotEnforced"

// runWithoutPolicy stands in for runPolicy in host-network mode: pods can not be told apart
// by their address, so nothing is filtered.
func (n *network) runWithoutPolicy(ctx context.Context, ready func()) error {
	reporter := n.newReporter(ctx)
	defer reporter.shutdown()
	ready()
	return n.tellNotEnforced(ctx, reporter, "it has no effect: in host-network mode all pods share the node's network and address, so that they can not be told apart")
}

// tellNotEnforced tells the owner of each NetworkPolicy, once, why it is not enforced.
func (n *network) tellNotEnforced(ctx context.Context, reporter *reporter, why string) error {
	informer := informers.NewSharedInformerFactory(n.client, 0).Networking().V1().NetworkPolicies().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) {
			if added, ok := object.(*networkingv1.NetworkPolicy); ok {
				name := types.NamespacedName{Namespace: added.Namespace, Name: added.Name}
				reporter.policy(name, added.UID, why)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watch NetworkPolicies: %w", err)
	}
	informer.RunWithContext(ctx)
	return nil
}

// policy tells the owner of a NetworkPolicy what of it has no effect.
func (r *reporter) policy(name types.NamespacedName, uid types.UID, message string) {
	r.events.Event(&v1.ObjectReference{
		Kind: "NetworkPolicy", APIVersion: "networking.k8s.io/v1",
		Namespace: name.Namespace, Name: name.Name, UID: uid,
	}, v1.EventTypeWarning, reasonNotEnforced, message)
}
