package dns

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// api answers lists and watches as an API server does.
type api struct {
	objects map[string][]runtime.Object

	mu      sync.Mutex
	watches map[string][]chan metav1.WatchEvent
}

// serveAPI starts an API server that knows the objects given.
func serveAPI(t testing.TB, objects ...runtime.Object) (*api, *rest.Config) {
	t.Helper()
	a := &api{objects: map[string][]runtime.Object{}, watches: map[string][]chan metav1.WatchEvent{}}
	for _, object := range objects {
		kind := kindOf(t, object)
		a.objects[kind] = append(a.objects[kind], object)
	}
	server := httptest.NewServer(a)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return a, &rest.Config{Host: server.URL}
}

// kindOf returns the resource of an object and gives the object its type and version.
func kindOf(t testing.TB, object runtime.Object) string {
	t.Helper()
	switch o := object.(type) {
	case *v1.Namespace:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}
		o.ResourceVersion = "1"
		return "namespaces"
	case *v1.Service:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
		o.ResourceVersion = "1"
		return "services"
	case *discovery.EndpointSlice:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}
		o.ResourceVersion = "1"
		return "endpointslices"
	}
	t.Fatalf("no resource for %T", object)
	return ""
}

// add tells those who watch of a new object.
func (a *api) add(t testing.TB, object runtime.Object) {
	t.Helper()
	kind := kindOf(t, object)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, watch := range a.watches[kind] {
		watch <- metav1.WatchEvent{Type: "ADDED", Object: runtime.RawExtension{Object: object}}
	}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	query := r.URL.Query()
	if query.Get("watch") == "" {
		_ = encoder.Encode(map[string]any{
			"kind": "List", "apiVersion": "v1",
			"metadata": map[string]string{"resourceVersion": "1"}, "items": a.objects[kind],
		})
		return
	}
	events := make(chan metav1.WatchEvent, 1)
	a.mu.Lock()
	a.watches[kind] = append(a.watches[kind], events)
	a.mu.Unlock()
	if query.Get("sendInitialEvents") == "true" {
		for _, object := range a.objects[kind] {
			_ = encoder.Encode(metav1.WatchEvent{Type: "ADDED", Object: runtime.RawExtension{Object: object}})
		}
		_ = encoder.Encode(initialEventsEnd(kind))
	}
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case event := <-events:
			_ = encoder.Encode(event)
			w.(http.Flusher).Flush()
		}
	}
}

// initialEventsEnd is the bookmark that ends a streamed list (KEP-3157).
func initialEventsEnd(kind string) metav1.WatchEvent {
	meta := metav1.ObjectMeta{
		ResourceVersion: "1",
		Annotations:     map[string]string{metav1.InitialEventsAnnotationKey: "true"},
	}
	var object runtime.Object
	switch kind {
	case "namespaces":
		object = &v1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: meta}
	case "services":
		object = &v1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta}
	default:
		object = &discovery.EndpointSlice{
			TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}, ObjectMeta: meta,
		}
	}
	return metav1.WatchEvent{Type: "BOOKMARK", Object: runtime.RawExtension{Object: object}}
}
