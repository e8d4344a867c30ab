package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// watched is a Watch that runs against a fake API server, on a fake clock.
type watched struct {
	*testing.T
	client    *fake.Clientset
	snapshot  atomic.Pointer[Snapshot]
	snapshots atomic.Int32
	synced    atomic.Int32
}

// watch runs test with a Watch of the objects, whose first Snapshot is there.
func watch(t *testing.T, test func(*watched), objects ...runtime.Object) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{T: t, client: fake.NewClientset(objects...)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- Watch(ctx, w.client, Options{
				Nodes: thisNode, LoadBalancerAddress: nodeAddress, Log: slog.New(slog.DiscardHandler),
				OnChange: func(snapshot *Snapshot) {
					w.snapshot.Store(snapshot)
					w.snapshots.Add(1)
				},
				Synced: func() {
					if w.snapshots.Load() != 1 {
						t.Errorf("synced after %d Snapshots, want 1", w.snapshots.Load())
					}
					w.synced.Add(1)
				},
			})
		}()
		synctest.Wait()
		test(w)
		if w.synced.Load() != 1 {
			t.Errorf("synced called %d times, want 1", w.synced.Load())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
}

// settle lets what has been changed take effect; by the fake clock that takes settleTime.
func (w *watched) settle() {
	synctest.Wait()
	time.Sleep(settleTime)
	synctest.Wait()
}

func (w *watched) create(objects ...runtime.Object) {
	w.Helper()
	for _, object := range objects {
		var err error
		switch object := object.(type) {
		case *v1.Service:
			_, err = w.client.CoreV1().Services(object.Namespace).Create(w.Context(), object, metav1.CreateOptions{})
		case *discoveryv1.EndpointSlice:
			_, err = w.client.DiscoveryV1().EndpointSlices(object.Namespace).Create(w.Context(), object, metav1.CreateOptions{})
		}
		if err != nil {
			w.Fatal(err)
		}
	}
}

func (w *watched) service(name string) *v1.Service {
	w.Helper()
	service, err := w.client.CoreV1().Services("default").Get(w.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.Fatal(err)
	}
	return service
}

func (w *watched) update(service *v1.Service) {
	w.Helper()
	if _, err := w.client.CoreV1().Services(service.Namespace).Update(w.Context(), service, metav1.UpdateOptions{}); err != nil {
		w.Fatal(err)
	}
}

func (w *watched) events() []v1.Event {
	w.Helper()
	events, err := w.client.CoreV1().Events(metav1.NamespaceAll).List(w.Context(), metav1.ListOptions{})
	if err != nil {
		w.Fatal(err)
	}
	return events.Items
}

func TestWatchFollowsTheAPI(t *testing.T) {
	watch(t, func(w *watched) {
		frontend := tcp("10.43.0.5:80")
		wantAddresses(t, "at first", w.snapshot.Load().Cluster[frontend].Internal, "10.42.0.3:8080")

		w.create(newService("b", "10.43.0.6"), newSlice("b", ready("10.42.0.4")))
		w.settle()
		wantAddresses(t, "a new Service", w.snapshot.Load().Cluster[tcp("10.43.0.6:80")].Internal, "10.42.0.4:8080")

		changed := newSlice("a", ready("10.42.0.7"))
		if _, err := w.client.DiscoveryV1().EndpointSlices("default").Update(w.Context(), changed, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		wantAddresses(t, "a changed slice", w.snapshot.Load().Cluster[frontend].Internal, "10.42.0.7:8080")

		if err := w.client.CoreV1().Services("default").Delete(w.Context(), "a", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if _, served := w.snapshot.Load().Cluster[frontend]; served {
			t.Error("a deleted Service is still served")
		}
	}, newService("a", "10.43.0.5"), newSlice("a", ready("10.42.0.3")))
}

func TestWatchCollectsEvents(t *testing.T) {
	const count = 500
	watch(t, func(w *watched) {
		before := w.snapshots.Load()
		for i := range count {
			w.create(newService(fmt.Sprint("s", i), fmt.Sprintf("10.43.%d.%d", 1+i/250, 1+i%250)))
			if i%50 == 0 {
				// The fake API server holds 100 events of a watch. No time passes here.
				synctest.Wait()
			}
		}
		w.settle()
		if got := len(w.snapshot.Load().Cluster); got != count {
			t.Errorf("%d frontends, want %d", got, count)
		}
		if built := w.snapshots.Load() - before; built != 1 {
			t.Errorf("%d Snapshots for one burst, want 1", built)
		}
		time.Sleep(time.Hour)
		if built := w.snapshots.Load() - before; built != 1 {
			t.Errorf("%d Snapshots after an hour without changes, want 1", built)
		}
	})
}

func TestWatchReportsProblemsOnce(t *testing.T) {
	sctp := func(service *v1.Service) { service.Spec.Ports[0].Protocol = v1.ProtocolSCTP }
	watch(t, func(w *watched) {
		w.settle()
		w.create(newService("b", "10.43.0.6"))
		w.settle()
		events := w.events()
		if len(events) != 1 {
			t.Fatalf("%d events, want 1: %v", len(events), events)
		}
		event := events[0]
		if event.InvolvedObject != serviceReference(newService("a", "")) || event.Type != v1.EventTypeWarning ||
			event.Reason != ReasonUnsupportedProtocol || event.Source.Component != eventComponent || event.Source.Host != thisNode.Names[0] || event.Count != 1 {
			t.Errorf("event %+v", event)
		}

		t.Log("solved, and there again")
		service := w.service("a")
		service.Spec.Ports[0].Protocol = v1.ProtocolTCP
		w.update(service)
		w.settle()
		sctp(service)
		w.update(service)
		w.settle()
		if events := w.events(); len(events) != 1 || events[0].Count != 2 {
			t.Errorf("events %+v, want one with count 2", events)
		}
	}, newService("a", "10.43.0.5", sctp))
}

func TestWatchKeepsLoadBalancerStatus(t *testing.T) {
	watch(t, func(w *watched) {
		w.create(newService("a", "10.43.0.5", loadBalancer(), func(service *v1.Service) {
			service.Annotations = map[string]string{"kept": "yes"}
			service.Spec.Selector = map[string]string{"app": "a"}
		}))
		w.settle()
		service := w.service("a")
		if ingress := service.Status.LoadBalancer.Ingress; !isOnlyAddress(ingress, nodeAddress) {
			t.Fatalf("ingress %+v, want %v", ingress, nodeAddress)
		}
		if service.Annotations["kept"] != "yes" || service.Spec.Selector["app"] != "a" {
			t.Errorf("more than the status was written: %+v", service)
		}

		t.Log("the Service changes its type")
		service.Spec.Type = v1.ServiceTypeClusterIP
		w.update(service)
		w.settle()
		if ingress := w.service("a").Status.LoadBalancer.Ingress; len(ingress) != 0 {
			t.Errorf("ingress %+v, want none", ingress)
		}
	})
}

func TestWatchWritesStatusAgainAfterFailure(t *testing.T) {
	watch(t, func(w *watched) {
		var attempts atomic.Int32
		w.client.PrependReactor("patch", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
			return attempts.Add(1) <= 2, nil, errors.New("the API server is away")
		})
		w.create(newService("a", "10.43.0.5", loadBalancer()))
		w.settle()
		if got := attempts.Load(); got != 1 {
			t.Errorf("%d attempts at once, want 1", got)
		}
		time.Sleep(3 * (statusRetryDelay + settleTime))
		synctest.Wait()
		if ingress := w.service("a").Status.LoadBalancer.Ingress; !isOnlyAddress(ingress, nodeAddress) || attempts.Load() != 3 {
			t.Errorf("ingress %+v after %d attempts", ingress, attempts.Load())
		}
	})
}
