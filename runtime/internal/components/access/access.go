// Package access grants sandkube's own components what they need of the API, and no
// more, by RBAC (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).
// Kubernetes' components have the roles that the API server makes for them.
package access

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-helpers/auth/rbac/reconciliation"

	"sandkube.dev/runtime/internal/kubeclient"
)

// Name is the service's name.
const Name = "access"

// Grant is what one user may do.
type Grant struct {
	// User is also the name of the roles and bindings.
	User string
	// Cluster are the rules that hold in all namespaces, and for what has none.
	Cluster []rbacv1.PolicyRule
	// Namespaced are the rules that hold in one namespace, by its name.
	Namespaced map[string][]rbacv1.PolicyRule
}

// Run makes the grants and calls ready when they are there; then it does nothing until
// ctx is done. The client must be one that may give what the grants give.
func Run(ctx context.Context, client kubernetes.Interface, grants []Grant, ready func()) error {
	if err := kubeclient.Poll(ctx, func() error { return Ensure(ctx, client, grants) }); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return nil
}

// Ensure makes or corrects the roles and bindings of grants; nothing is written when
// they are as they should be. A role or binding whose annotation
// rbac.authorization.kubernetes.io/autoupdate is "false" is left alone, as the API
// server leaves its own. The error names the grant that could not be made.
func Ensure(ctx context.Context, client kubernetes.Interface, grants []Grant) error {
	for _, grant := range grants {
		// The reconciliation's requests know no context.
		if err := ctx.Err(); err != nil {
			return err
		}
		for namespace, rules := range grant.Namespaced {
			if err := ensureNamespaced(client, grant.User, namespace, rules); err != nil {
				return fmt.Errorf("role of %s in namespace %s: %w", grant.User, namespace, err)
			}
		}
		// It comes last: a component that waits until it may read has all its rights then.
		if err := ensureCluster(client, grant); err != nil {
			return fmt.Errorf("cluster role of %s: %w", grant.User, err)
		}
	}
	return nil
}

func ensureCluster(client kubernetes.Interface, grant Grant) error {
	meta := metav1.ObjectMeta{Name: grant.User}
	role := reconciliation.ReconcileRoleOptions{
		Role:                   reconciliation.ClusterRoleRuleOwner{ClusterRole: &rbacv1.ClusterRole{ObjectMeta: meta, Rules: grant.Cluster}},
		Client:                 reconciliation.ClusterRoleModifier{Client: client.RbacV1().ClusterRoles()},
		Confirm:                true,
		RemoveExtraPermissions: true,
	}
	if _, err := role.Run(); err != nil {
		return err
	}
	binding := reconciliation.ReconcileRoleBindingOptions{
		RoleBinding: reconciliation.ClusterRoleBindingAdapter{ClusterRoleBinding: &rbacv1.ClusterRoleBinding{
			ObjectMeta: meta,
			RoleRef:    roleRef("ClusterRole", grant.User),
			Subjects:   subjects(grant.User),
		}},
		Client:              reconciliation.ClusterRoleBindingClientAdapter{Client: client.RbacV1().ClusterRoleBindings()},
		Confirm:             true,
		RemoveExtraSubjects: true,
	}
	_, err := binding.Run()
	return err
}

// ensureNamespaced makes the namespace too: the API server makes its own ones only
// after it has called itself ready.
func ensureNamespaced(client kubernetes.Interface, user, namespace string, rules []rbacv1.PolicyRule) error {
	meta := metav1.ObjectMeta{Name: user, Namespace: namespace}
	namespaces := client.CoreV1().Namespaces()
	role := reconciliation.ReconcileRoleOptions{
		Role:                   reconciliation.RoleRuleOwner{Role: &rbacv1.Role{ObjectMeta: meta, Rules: rules}},
		Client:                 reconciliation.RoleModifier{Client: client.RbacV1(), NamespaceClient: namespaces},
		Confirm:                true,
		RemoveExtraPermissions: true,
	}
	if _, err := role.Run(); err != nil {
		return err
	}
	binding := reconciliation.ReconcileRoleBindingOptions{
		RoleBinding: reconciliation.RoleBindingAdapter{RoleBinding: &rbacv1.RoleBinding{
			ObjectMeta: meta,
			RoleRef:    roleRef("Role", user),
			Subjects:   subjects(user),
		}},
		Client:              reconciliation.RoleBindingClientAdapter{Client: client.RbacV1(), NamespaceClient: namespaces},
		Confirm:             true,
		RemoveExtraSubjects: true,
	}
	_, err := binding.Run()
	return err
}

func roleRef(kind, name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

func subjects(user string) []rbacv1.Subject {
	return []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
}
