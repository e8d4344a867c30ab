package access

import (
	"context"
	"errors"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func testGrants() []Grant {
	return []Grant{
		{User: "sandkube:one", Cluster: []rbacv1.PolicyRule{rule([]string{"get"}, "", "nodes")}},
		{User: "sandkube:two", Namespaced: map[string][]rbacv1.PolicyRule{"kube-system": {rule([]string{"create"}, "", "services")}}},
	}
}

// written lists the requests that change something.
func written(client *fake.Clientset) []string {
	var requests []string
	for _, action := range client.Actions() {
		if !slices.Contains([]string{"get", "list", "watch"}, action.GetVerb()) {
			requests = append(requests, action.GetVerb()+" "+action.GetResource().Resource)
		}
	}
	return requests
}

func TestEnsureBindsEachUserToItsRules(t *testing.T) {
	client := fake.NewClientset()
	if err := Ensure(t.Context(), client, testGrants()); err != nil {
		t.Fatal(err)
	}
	rbac := client.RbacV1()
	role, err := rbac.ClusterRoles().Get(t.Context(), "sandkube:one", metav1.GetOptions{})
	if err != nil || len(role.Rules) != 1 || role.Rules[0].Resources[0] != "nodes" {
		t.Errorf("the cluster role is %v (%v)", role, err)
	}
	binding, err := rbac.ClusterRoleBindings().Get(t.Context(), "sandkube:one", metav1.GetOptions{})
	if err != nil || !slices.Equal(binding.Subjects, []rbacv1.Subject{{Kind: "User", APIGroup: "rbac.authorization.k8s.io", Name: "sandkube:one"}}) {
		t.Errorf("its binding is %v (%v)", binding, err)
	}
	if binding.RoleRef != (rbacv1.RoleRef{Kind: "ClusterRole", APIGroup: "rbac.authorization.k8s.io", Name: "sandkube:one"}) {
		t.Errorf("it is bound to %v", binding.RoleRef)
	}
	inNamespace, err := rbac.RoleBindings("kube-system").Get(t.Context(), "sandkube:two", metav1.GetOptions{})
	if err != nil || inNamespace.RoleRef.Kind != "Role" || inNamespace.Subjects[0].Name != "sandkube:two" {
		t.Errorf("the binding in the namespace is %v (%v)", inNamespace, err)
	}
}

func TestEnsureWritesOnlyWhatDiffers(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, client *fake.Clientset)
		want   []string
	}{
		"nothing": {func(*testing.T, *fake.Clientset) {}, nil},
		"more rules": {func(t *testing.T, client *fake.Clientset) {
			updateRole(t, client, func(r *rbacv1.ClusterRole) {
				r.Rules = append(r.Rules, rule([]string{"*"}, "*", "*"))
			})
		}, []string{"update clusterroles"}},
		"kept by its user": {func(t *testing.T, client *fake.Clientset) {
			updateRole(t, client, func(r *rbacv1.ClusterRole) {
				r.Rules = nil
				r.Annotations = map[string]string{rbacv1.AutoUpdateAnnotationKey: "false"}
			})
		}, nil},
		"a lost binding": {func(t *testing.T, client *fake.Clientset) {
			if err := client.RbacV1().ClusterRoleBindings().Delete(t.Context(), "sandkube:one", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}, []string{"create clusterrolebindings"}},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			if err := Ensure(t.Context(), client, testGrants()); err != nil {
				t.Fatal(err)
			}
			test.change(t, client)
			client.ClearActions()
			if err := Ensure(t.Context(), client, testGrants()); err != nil {
				t.Fatal(err)
			}
			if got := written(client); !slices.Equal(got, test.want) {
				t.Errorf("it wrote %v, want %v", got, test.want)
			}
		})
	}
}

func updateRole(t *testing.T, client *fake.Clientset, change func(*rbacv1.ClusterRole)) {
	t.Helper()
	roles := client.RbacV1().ClusterRoles()
	role, err := roles.Get(t.Context(), "sandkube:one", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	change(role)
	if _, err := roles.Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestRunTriesUntilTheGrantsAreMade(t *testing.T) {
	client := fake.NewClientset()
	failures := 2
	client.PrependReactor("create", "rolebindings", func(clienttesting.Action) (bool, runtime.Object, error) {
		failures--
		return failures >= 0, nil, errors.New("the datastore is not ready")
	})
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, client, testGrants(), func() {
		if _, err := client.RbacV1().RoleBindings("kube-system").Get(ctx, "sandkube:two", metav1.GetOptions{}); err != nil {
			t.Errorf("it was ready without a binding: %v", err)
		}
		cancel()
	})
	if err != nil || failures >= 0 {
		t.Errorf("got %v, %d failures left", err, failures)
	}
}

func TestNodeComponentsGetNothingWithAWildcard(t *testing.T) {
	for _, grant := range NodeComponents() {
		rules := slices.Clone(grant.Cluster)
		for _, more := range grant.Namespaced {
			rules = append(rules, more...)
		}
		for _, rule := range rules {
			all := slices.Concat(rule.Verbs, rule.APIGroups, rule.Resources)
			if slices.Contains(all, "*") || slices.Contains(rule.Resources, "secrets") {
				t.Errorf("%s: %v", grant.User, rule)
			}
		}
	}
}
