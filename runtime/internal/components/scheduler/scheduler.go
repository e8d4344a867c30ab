// Package scheduler runs the Kubernetes scheduler.
package scheduler

import (
	"context"
	"fmt"

	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"

	"sandkube.dev/runtime/internal/components/arguments"
	"sandkube.dev/runtime/internal/flags"
	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "kube-scheduler"

// Options returns the scheduler's parsed options.
func Options(spec *nodespec.NodeSpec) (*options.Options, error) {
	o := options.NewOptions()
	err := arguments.Parse(Name, *o.Flags, flags.Scheduler(spec))
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Run schedules pods until ctx is done. Ready is called when its caches are filled.
func Run(ctx context.Context, o *options.Options, ready func()) error {
	config, scheduler, err := app.Setup(ctx, o)
	if err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	go func() {
		config.InformerFactory.WaitForCacheSync(ctx.Done())
		if scheduler.WaitForHandlersSync(ctx) == nil && ctx.Err() == nil {
			ready()
		}
	}()
	return app.Run(ctx, config, scheduler)
}
