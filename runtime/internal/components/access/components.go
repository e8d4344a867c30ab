package access

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/pki"
)

// NodeComponents are the grants of the components that run beside a kubelet.
func NodeComponents() []Grant {
	return []Grant{
		{
			User: pki.NetworkUser,
			Cluster: []rbacv1.PolicyRule{
				rule(readAnd(), corev1.GroupName, "services", "pods", "namespaces", "nodes"),
				rule(readAnd(), discoveryv1.GroupName, "endpointslices"),
				rule(readAnd(), networkingv1.GroupName, "networkpolicies"),
				// The addresses of LoadBalancers.
				rule([]string{"update", "patch"}, corev1.GroupName, "services/status"),
				recordEvents(corev1.GroupName),
				recordEvents(eventsv1.GroupName),
			},
			Namespaced: map[string][]rbacv1.PolicyRule{
				metav1.NamespaceSystem: {
					// Which Services are published at ports of the sandbox.
					{Verbs: readAnd(), APIGroups: []string{corev1.GroupName}, Resources: []string{"configmaps"}, ResourceNames: []string{nodespec.PublicationsConfigMap}},
					// The Service kube-dns, whose endpoint is no pod.
					rule([]string{"get", "create", "update"}, corev1.GroupName, "services"),
					rule([]string{"get", "create", "update"}, discoveryv1.GroupName, "endpointslices"),
				},
			},
		},
		{
			User: pki.StorageProvisionerUser,
			Cluster: []rbacv1.PolicyRule{
				rule(readAnd(), corev1.GroupName, "persistentvolumeclaims"),
				rule([]string{"get"}, corev1.GroupName, "nodes"),
				rule(readAnd("create", "delete"), corev1.GroupName, "persistentvolumes"),
				rule(readAnd("create"), storagev1.GroupName, "storageclasses"),
				recordEvents(corev1.GroupName),
			},
		},
	}
}

// readAnd is what informers need, and further verbs.
func readAnd(verbs ...string) []string {
	return append([]string{"get", "list", "watch"}, verbs...)
}

// recordEvents is what client-go's event recorders need: they patch an event that
// occurs again.
func recordEvents(group string) rbacv1.PolicyRule {
	return rule([]string{"create", "patch"}, group, "events")
}

func rule(verbs []string, group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{group}, Resources: resources}
}
