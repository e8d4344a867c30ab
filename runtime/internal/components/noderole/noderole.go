// Package noderole labels the control plane's node, as kubeadm and k3s do. A kubelet may not
// give its own Node such a label (admission plugin NodeRestriction).
package noderole

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"sandkube.dev/runtime/internal/kubeclient"
)

// Name is the service's name.
const Name = "node-role"

// Label says what `kubectl get nodes` shows as a role.
const Label = "node-role.kubernetes.io/control-plane"

// pollInterval leaves the processor to what starts meanwhile: nothing waits for the label.
const pollInterval = 250 * time.Millisecond

// Run labels a node once it is there; then it does nothing until ctx is done. Ready is
// called at once.
func Run(ctx context.Context, client kubernetes.Interface, node string, ready func()) error {
	ready()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{Label: "true"}}})
	if err != nil {
		return fmt.Errorf("encode the label: %w", err)
	}
	err = kubeclient.PollEvery(ctx, pollInterval, func() error {
		_, err := client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, patch, metav1.PatchOptions{})
		return err
	})
	if err != nil {
		return nil // ctx is done
	}
	<-ctx.Done()
	return nil
}
