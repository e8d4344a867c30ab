package dns

import (
	"context"
	"net/netip"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	sliceName = "kube-dns-sandkube"
	// sliceManager is what keeps the EndpointSlice controller away from the slice.
	sliceManager = "sandkube"
)

func endpointSlice(address netip.Addr) *discovery.EndpointSlice {
	family := discovery.AddressTypeIPv4
	if address.Is6() {
		family = discovery.AddressTypeIPv6
	}
	port := func(name string, protocol v1.Protocol) discovery.EndpointPort {
		number := int32(dnsPort)
		return discovery.EndpointPort{Name: &name, Port: &number, Protocol: &protocol}
	}
	ready := true
	return &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ServiceNamespace,
			Name:      sliceName,
			Labels: map[string]string{
				discovery.LabelServiceName: ServiceName,
				discovery.LabelManagedBy:   sliceManager,
				serviceProxyLabel:          ServiceProxyName,
			},
		},
		AddressType: family,
		Endpoints: []discovery.Endpoint{{
			Addresses:  []string{address.String()},
			Conditions: discovery.EndpointConditions{Ready: &ready},
		}},
		Ports: []discovery.EndpointPort{port("dns", v1.ProtocolUDP), port("dns-tcp", v1.ProtocolTCP)},
	}
}

func ensureSlice(ctx context.Context, client kubernetes.Interface, want *discovery.EndpointSlice) error {
	slices := client.DiscoveryV1().EndpointSlices(want.Namespace)
	have, err := slices.Get(ctx, want.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = slices.Create(ctx, want, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	repaired := have.DeepCopy()
	repaired.Labels = merged(have.Labels, want.Labels)
	repaired.Endpoints = want.Endpoints
	repaired.Ports = want.Ports
	if equality.Semantic.DeepEqual(have, repaired) {
		return nil
	}
	_, err = slices.Update(ctx, repaired, metav1.UpdateOptions{})
	return err
}
