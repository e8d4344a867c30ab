// Package apiserver runs the Kubernetes API server.
package apiserver

import (
	"context"
	"fmt"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apiserver/pkg/server/egressselector"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"sandkube.dev/runtime/internal/components/arguments"
	"sandkube.dev/runtime/internal/components/datastore"
	"sandkube.dev/runtime/internal/flags"
	"sandkube.dev/runtime/internal/kubeclient"
	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "kube-apiserver"

// Options returns the API server's parsed options. They carry the process's
// feature gates, so they are made before any component is completed.
func Options(spec *nodespec.NodeSpec, store *datastore.Store) (*options.ServerRunOptions, error) {
	o := options.NewServerRunOptions()
	if err := arguments.Parse(Name, o.Flags(), flags.APIServer(spec, store.Endpoint())); err != nil {
		return nil, err
	}
	o.Etcd.StorageConfig.Transport.EgressLookup = func(egressselector.NetworkContext) (utilnet.DialFunc, error) {
		return store.Dial, nil
	}
	return o, nil
}

// Run serves the API until ctx is done. Ready is called when /readyz answers.
func Run(ctx context.Context, spec *nodespec.NodeSpec, o *options.ServerRunOptions, ready func()) error {
	// The loopback clients of the API server warn about what the API server itself does.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := o.Complete(ctx)
	if err != nil {
		return fmt.Errorf("complete the options: %w", err)
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return utilerrors.NewAggregate(errs)
	}
	go func() {
		if waitReady(ctx, spec) == nil {
			ready()
		}
	}()
	return app.Run(ctx, completed)
}

func waitReady(ctx context.Context, spec *nodespec.NodeSpec) error {
	client, err := kubeclient.New(spec.AdminKubeconfig())
	if err != nil {
		return err
	}
	return kubeclient.WaitReady(ctx, client)
}
