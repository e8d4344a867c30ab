package dns

import (
	"context"
	"fmt"
	"maps"
	"net/netip"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

const (
	// ServiceNamespace and ServiceName are where workloads look for the cluster's DNS.
	ServiceNamespace = metav1.NamespaceSystem
	ServiceName      = "kube-dns"
	// ServiceProxyName is the value of the label service.kubernetes.io/service-proxy-name
	// (KEP-2447) of the Service: Service proxies leave it to the DNS server, which listens
	// at the Service's address itself.
	ServiceProxyName = "sandkube-dns"

	serviceProxyLabel = "service.kubernetes.io/service-proxy-name"
)

// EnsureService creates or repairs the Service of the cluster's DNS at address, and the
// EndpointSlice that names who serves it: the same address, unless that is a loopback one.
// A Service that is right is not written. It may be called again at any time. It fails while the API server has not
// made the namespace kube-system yet, and when another Service has the address.
func EnsureService(ctx context.Context, client kubernetes.Interface, address netip.Addr) error {
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		return ensureService(ctx, client, service(address))
	})
	if err != nil {
		return fmt.Errorf("Service %s/%s at %s: %w", ServiceNamespace, ServiceName, address, err)
	}
	if address.IsLoopback() {
		// The API takes no loopback address as an endpoint, and nobody needs this one.
		return nil
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		return ensureSlice(ctx, client, endpointSlice(address))
	})
	if err != nil {
		return fmt.Errorf("EndpointSlice %s/%s: %w", ServiceNamespace, sliceName, err)
	}
	return nil
}

// service has the labels and port names of kubeadm and k3s. cluster-service makes
// `kubectl cluster-info` show it.
func service(address netip.Addr) *v1.Service {
	return &v1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ServiceNamespace,
			Name:      ServiceName,
			Labels: map[string]string{
				"k8s-app":                       "kube-dns",
				"kubernetes.io/cluster-service": "true",
				"kubernetes.io/name":            "CoreDNS",
				serviceProxyLabel:               ServiceProxyName,
			},
		},
		Spec: v1.ServiceSpec{
			Type:      v1.ServiceTypeClusterIP,
			ClusterIP: address.String(),
			Ports: []v1.ServicePort{
				{Name: "dns", Port: dnsPort, Protocol: v1.ProtocolUDP, TargetPort: intstr.FromInt32(dnsPort)},
				{Name: "dns-tcp", Port: dnsPort, Protocol: v1.ProtocolTCP, TargetPort: intstr.FromInt32(dnsPort)},
			},
		},
	}
}

func ensureService(ctx context.Context, client kubernetes.Interface, want *v1.Service) error {
	services := client.CoreV1().Services(want.Namespace)
	have, err := services.Get(ctx, want.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = services.Create(ctx, want, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	if have.Spec.ClusterIP != want.Spec.ClusterIP {
		// A Service keeps its address for life.
		precondition := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(have.UID))}
		if err := services.Delete(ctx, have.Name, precondition); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("remove the one at %s: %w", have.Spec.ClusterIP, err)
		}
		_, err = services.Create(ctx, want, metav1.CreateOptions{})
		return err
	}
	repaired := have.DeepCopy()
	repaired.Labels = merged(have.Labels, want.Labels)
	repaired.Spec.Type = want.Spec.Type
	repaired.Spec.Selector = nil
	repaired.Spec.Ports = want.Spec.Ports
	if equality.Semantic.DeepEqual(have, repaired) {
		return nil
	}
	_, err = services.Update(ctx, repaired, metav1.UpdateOptions{})
	return err
}

// merged returns labels with those of changes in place.
func merged(labels, changes map[string]string) map[string]string {
	result := maps.Clone(labels)
	if result == nil {
		return changes
	}
	maps.Copy(result, changes)
	return result
}
