package services

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The scale at which the limits below hold.
const (
	scaleServices            = 1000
	scaleEndpointsPerService = 5
)

// memoryLimit is what informers' objects, Snapshot and a full affinity table may take.
const memoryLimit = 40 << 20

// manyObjects returns objects of the given scale, each with memory of its own, as when
// they are decoded from the API server's answer, and with what the controllers add.
func manyObjects(tb testing.TB) ([]*v1.Service, []*discoveryv1.EndpointSlice) {
	tb.Helper()
	var services []*v1.Service
	var endpointSlices []*discoveryv1.EndpointSlice
	address := netip.MustParseAddr("10.42.0.10")
	for i := range scaleServices {
		name := fmt.Sprintf("service-%04d", i)
		template := newService(name, fmt.Sprintf("10.43.%d.%d", i/250, 1+i%250))
		template.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl", FieldsV1: &metav1.FieldsV1{Raw: make([]byte, 1000)}}}
		template.Annotations = map[string]string{v1.LastAppliedConfigAnnotation: string(make([]byte, 1000))}
		var endpoints []discoveryv1.Endpoint
		for range scaleEndpointsPerService {
			endpoint := ready(address.String())
			endpoint.TargetRef = &v1.ObjectReference{Kind: "Pod", Namespace: "default", Name: name + "-6d4cf56db6-abcde", UID: "7c7e8d2c-9f0c-4f0c-8f2e-2d1f0e7c9d11"}
			endpoints = append(endpoints, endpoint)
			address = address.Next()
		}
		templateSlice := newSlice(name, endpoints...)
		var service v1.Service
		var slice discoveryv1.EndpointSlice
		for _, message := range []struct {
			from interface{ Marshal() ([]byte, error) }
			to   interface{ Unmarshal([]byte) error }
		}{{template, &service}, {templateSlice, &slice}} {
			encoded, err := message.from.Marshal()
			if err != nil {
				tb.Fatal(err)
			}
			if err := message.to.Unmarshal(encoded); err != nil {
				tb.Fatal(err)
			}
		}
		for _, object := range []any{&service, &slice} {
			if _, err := strip(object); err != nil {
				tb.Fatal(err)
			}
		}
		services = append(services, &service)
		endpointSlices = append(endpointSlices, &slice)
	}
	return services, endpointSlices
}

func heapBytes() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestMemoryAtScale(t *testing.T) {
	start := heapBytes()
	services, endpointSlices := manyObjects(t)
	objects := heapBytes()
	snapshot, problems := Build(services, endpointSlices, thisNode)
	tables := heapBytes()
	b := NewBalancer()
	port := newPort("a", time.Hour, "10.42.0.3:80")
	address := client
	for range affinityLimit {
		b.Pick(port, Origin{}, address)
		address = address.Next()
	}
	end := heapBytes()
	t.Logf("objects %d kB, Snapshot %d kB, affinities %d kB", (objects-start)>>10, (tables-objects)>>10, (end-tables)>>10)
	if end-start > memoryLimit {
		t.Errorf("%d bytes, want at most %d", end-start, memoryLimit)
	}
	if len(snapshot.Cluster) != scaleServices || len(problems) > 0 || b.affinities.len() != affinityLimit {
		t.Errorf("%d frontends, %d affinities, problems %v", len(snapshot.Cluster), b.affinities.len(), problems)
	}
	runtime.KeepAlive(services)
	runtime.KeepAlive(endpointSlices)
}

func BenchmarkBuild(b *testing.B) {
	services, endpointSlices := manyObjects(b)
	b.ReportAllocs()
	for b.Loop() {
		Build(services, endpointSlices, thisNode)
	}
}

func BenchmarkPick(b *testing.B) {
	for name, affinity := range map[string]time.Duration{"random": 0, "affinity": time.Hour} {
		b.Run(name, func(b *testing.B) {
			balancer := NewBalancer()
			port := newPort("a", affinity, manyEndpoints()[:5]...)
			for b.Loop() {
				balancer.Pick(port, Origin{}, client)
			}
		})
	}
}
