package main

import (
	"context"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
)

// reasonPortTaken is the reason of events about a port of the sandbox that is another's.
const reasonPortTaken = "PortTaken"

// reporter tells users, by events of their objects, what can not be done.
type reporter struct {
	ctx         context.Context
	client      kubernetes.Interface
	broadcaster record.EventBroadcaster
	events      record.EventRecorder
}

func (n *network) newReporter(ctx context.Context) *reporter {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: n.client.CoreV1().Events(v1.NamespaceAll)})
	return &reporter{
		ctx: ctx, client: n.client, broadcaster: broadcaster,
		events: broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: program, Host: n.nodes[0].view.Self.Name}),
	}
}

func (r *reporter) shutdown() { r.broadcaster.Shutdown() }

// portTaken tells the owner of a port. Without its UID, `kubectl describe` would not find
// the event.
func (r *reporter) portTaken(owner v1.ObjectReference, message string) {
	if owner.UID == "" && owner.Kind == "Service" {
		service, err := r.client.CoreV1().Services(owner.Namespace).Get(r.ctx, owner.Name, metav1.GetOptions{})
		if err == nil {
			owner.UID = service.UID
		}
	}
	r.events.Event(&owner, v1.EventTypeWarning, reasonPortTaken, message)
}
