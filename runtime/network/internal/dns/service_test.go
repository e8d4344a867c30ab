package dns

import (
	"net/netip"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func TestEnsureService(t *testing.T) {
	address := netip.MustParseAddr("10.43.0.10")
	changed := func(change func(*v1.Service)) *v1.Service {
		s := service(address)
		change(s)
		return s
	}
	damagedSlice := endpointSlice(address)
	damagedSlice.Endpoints[0].Addresses = []string{"10.42.0.9"}
	for _, test := range []struct {
		name    string
		objects []runtime.Object
		// writes are the verbs of the requests that change something.
		writes []string
	}{
		{"nothing is there", nil, []string{"create services", "create endpointslices"}},
		{"all is right", []runtime.Object{service(address), endpointSlice(address)}, nil},
		{"a selector", []runtime.Object{changed(func(s *v1.Service) {
			s.Spec.Selector = map[string]string{"k8s-app": "kube-dns"}
		}), endpointSlice(address)}, []string{"update services"}},
		{"no labels", []runtime.Object{changed(func(s *v1.Service) { s.Labels = nil }), endpointSlice(address)},
			[]string{"update services"}},
		{"a port is missing", []runtime.Object{changed(func(s *v1.Service) {
			s.Spec.Ports = s.Spec.Ports[:1]
		}), endpointSlice(address)}, []string{"update services"}},
		{"another address", []runtime.Object{changed(func(s *v1.Service) {
			s.Spec.ClusterIP = "10.43.0.99"
		}), endpointSlice(address)}, []string{"delete services", "create services"}},
		{"another endpoint", []runtime.Object{service(address), damagedSlice}, []string{"update endpointslices"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := fake.NewClientset(test.objects...)
			if err := EnsureService(t.Context(), client, address); err != nil {
				t.Fatal(err)
			}
			var writes []string
			for _, action := range client.Actions() {
				if action.GetVerb() != "get" {
					writes = append(writes, action.GetVerb()+" "+action.GetResource().Resource)
				}
			}
			if !slices.Equal(writes, test.writes) {
				t.Errorf("writes %q, want %q", writes, test.writes)
			}
			assertServed(t, client, address)
		})
	}
}

func TestEnsureServiceAtALoopbackAddressHasNoSlice(t *testing.T) {
	client := fake.NewClientset()
	if err := EnsureService(t.Context(), client, netip.MustParseAddr("127.43.0.10")); err != nil {
		t.Fatal(err)
	}
	got, err := client.CoreV1().Services("kube-system").Get(t.Context(), "kube-dns", metav1.GetOptions{})
	if err != nil || got.Spec.ClusterIP != "127.43.0.10" {
		t.Errorf("%+v, %v", got, err)
	}
	slices, err := client.DiscoveryV1().EndpointSlices("kube-system").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(slices.Items) != 0 {
		t.Errorf("the API server would refuse %+v, %v", slices.Items, err)
	}
}

func assertServed(t *testing.T, client *fake.Clientset, address netip.Addr) {
	t.Helper()
	got, err := client.CoreV1().Services("kube-system").Get(t.Context(), "kube-dns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Spec.ClusterIP != address.String() || got.Spec.Selector != nil || len(got.Spec.Ports) != 2 {
		t.Errorf("spec %+v", got.Spec)
	}
	for label, value := range map[string]string{
		"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS",
		"service.kubernetes.io/service-proxy-name": "sandkube-dns",
	} {
		if got.Labels[label] != value {
			t.Errorf("label %s=%q, want %q", label, got.Labels[label], value)
		}
	}
	slice, err := client.DiscoveryV1().EndpointSlices("kube-system").Get(t.Context(), "kube-dns-sandkube", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if slice.Labels["kubernetes.io/service-name"] != "kube-dns" || slice.Endpoints[0].Addresses[0] != address.String() {
		t.Errorf("slice %+v", slice)
	}
}
