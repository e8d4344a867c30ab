// Package controllermanager runs the Kubernetes controllers.
package controllermanager

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/pkg/controller/volume/attachdetach"

	"sandkube.dev/runtime/internal/components/arguments"
	"sandkube.dev/runtime/internal/flags"
	"sandkube.dev/runtime/internal/kubeclient"
	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "kube-controller-manager"

// attachPeriod is how often the attach/detach controller compares what is attached with
// what should be: what it does whenever it has nothing to do, too. Its default of 100 ms
// is a tenth of all wake-ups of an idle control plane. Volumes that are attached at all,
// which only CSI drivers have, are so up to half a second later.
const attachPeriod = 500 * time.Millisecond

// Options returns the controller manager's parsed options.
func Options(spec *nodespec.NodeSpec) (*options.KubeControllerManagerOptions, error) {
	o, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, fmt.Errorf("options of %s: %w", Name, err)
	}
	sets := o.Flags(app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases())
	if err := arguments.Parse(Name, sets, flags.ControllerManager(spec)); err != nil {
		return nil, err
	}
	return o, nil
}

// Run runs the controllers until ctx is done. Ready is called when the namespace
// "default" has what each pod needs: its ServiceAccount and the cluster's CA.
func Run(ctx context.Context, spec *nodespec.NodeSpec, o *options.KubeControllerManagerOptions, ready func()) error {
	attachdetach.DefaultTimerConfig.ReconcilerLoopPeriod = attachPeriod
	config, err := o.Config(ctx, app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases())
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	go func() {
		if waitForPodNeeds(ctx, spec) == nil {
			ready()
		}
	}()
	return app.Run(ctx, config.Complete())
}

func waitForPodNeeds(ctx context.Context, spec *nodespec.NodeSpec) error {
	client, err := kubeclient.New(spec.AdminKubeconfig())
	if err != nil {
		return err
	}
	core := client.CoreV1()
	return kubeclient.Poll(ctx, func() error {
		if _, err := core.ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := core.ConfigMaps(metav1.NamespaceDefault).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
}
