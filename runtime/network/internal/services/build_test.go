package services

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

func TestAffinityOfServices(t *testing.T) {
	seconds := func(number int32) *v1.SessionAffinityConfig {
		return &v1.SessionAffinityConfig{ClientIP: &v1.ClientIPConfig{TimeoutSeconds: &number}}
	}
	tests := []struct {
		kind   v1.ServiceAffinity
		config *v1.SessionAffinityConfig
		want   time.Duration
	}{
		{v1.ServiceAffinityNone, nil, 0},
		{"", seconds(5), 0},
		{v1.ServiceAffinityClientIP, seconds(5), 5 * time.Second},
		{v1.ServiceAffinityClientIP, nil, 3 * time.Hour},
		{v1.ServiceAffinityClientIP, &v1.SessionAffinityConfig{}, 3 * time.Hour},
		{v1.ServiceAffinityClientIP, &v1.SessionAffinityConfig{ClientIP: &v1.ClientIPConfig{}}, 3 * time.Hour},
		{v1.ServiceAffinityClientIP, seconds(-1), 3 * time.Hour},
	}
	for _, test := range tests {
		service := newService("a", "10.43.0.5", func(service *v1.Service) {
			service.Spec.SessionAffinity, service.Spec.SessionAffinityConfig = test.kind, test.config
		})
		snapshot, _ := Build([]*v1.Service{service}, nil, thisNode)
		if got := snapshot.Cluster[tcp("10.43.0.5:80")].Affinity; got != test.want {
			t.Errorf("%q %v: affinity %v, want %v", test.kind, test.config, got, test.want)
		}
	}
}

func TestBuildDoesNotDependOnOrder(t *testing.T) {
	services := []*v1.Service{
		newService("a", "10.43.0.5", loadBalancer()), newService("b", "10.43.0.6", loadBalancer()),
		newService("c", "10.43.0.7", loadBalancer()),
	}
	endpointSlices := []*discoveryv1.EndpointSlice{newSlice("b", ready("10.42.0.4"), ready("10.42.0.3")), newSlice("b", ready("10.42.0.2"))}
	describe := func() string {
		snapshot, problems := Build(services, endpointSlices, thisNode)
		keys := slices.SortedFunc(maps.Keys(snapshot.Cluster), func(one, other Frontend) int {
			return cmp.Or(cmp.Compare(one.Protocol, other.Protocol), one.Address.Compare(other.Address))
		})
		text := fmt.Sprint(frontendsOf(snapshot), problems)
		for _, key := range keys {
			text += fmt.Sprint(snapshot.Cluster[key].Internal)
		}
		return text
	}
	forwards := describe()
	slices.Reverse(services)
	slices.Reverse(endpointSlices)
	if backwards := describe(); backwards != forwards {
		t.Errorf("\n%s\n%s", forwards, backwards)
	}
}
