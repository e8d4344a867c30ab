// Package role composes the services of each role of the runtime.
package role

import (
	"context"
	"fmt"

	logsapi "k8s.io/component-base/logs/api/v1"

	"sandkube.dev/runtime/internal/components/access"
	"sandkube.dev/runtime/internal/components/apiserver"
	"sandkube.dev/runtime/internal/components/controllermanager"
	"sandkube.dev/runtime/internal/components/datastore"
	"sandkube.dev/runtime/internal/components/noderole"
	"sandkube.dev/runtime/internal/components/scheduler"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/service"
)

// ControlPlane runs the datastore, API server, controllers and scheduler until ctx is done.
func ControlPlane(ctx context.Context, spec *nodespec.NodeSpec, reporter service.Reporter) error {
	store := datastore.New(spec)
	server, err := apiserver.Options(spec, store)
	if err != nil {
		return err
	}
	controllers, err := controllermanager.Options(spec)
	if err != nil {
		return err
	}
	scheduling, err := scheduler.Options(spec)
	if err != nil {
		return err
	}
	// The registry of feature gates is the process's: it is sealed once, after all
	// components have parsed their flags and before any of them is completed.
	registry := server.GenericServerRunOptions.ComponentGlobalsRegistry
	if err := registry.Set(); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	services := []service.Service{
		{Name: datastore.Name, Run: store.Run},
		// It need not wait for the datastore: its first request does.
		{Name: apiserver.Name, Run: func(ctx context.Context, ready func()) error {
			return apiserver.Run(ctx, spec, server, ready)
		}},
		{Name: controllermanager.Name, Dependencies: []string{apiserver.Name}, Run: func(ctx context.Context, ready func()) error {
			return controllermanager.Run(ctx, spec, controllers, ready)
		}},
		{Name: scheduler.Name, Dependencies: []string{apiserver.Name}, Run: func(ctx context.Context, ready func()) error {
			return scheduler.Run(ctx, scheduling, ready)
		}},
	}
	if spec.Node != nil {
		administrator, err := unlimitedClient(spec.AdminKubeconfig())
		if err != nil {
			return err
		}
		services = append(services, service.Service{Name: access.Name, Dependencies: []string{apiserver.Name}, Run: func(ctx context.Context, ready func()) error {
			return access.Run(ctx, administrator, access.NodeComponents(), ready)
		}}, service.Service{Name: noderole.Name, Dependencies: []string{apiserver.Name}, Run: func(ctx context.Context, ready func()) error {
			return noderole.Run(ctx, administrator, spec.Nodes[0].Name, ready)
		}})
	}
	return service.Run(ctx, services, reporter)
}
