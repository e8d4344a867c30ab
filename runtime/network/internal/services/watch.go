package services

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// settleTime is how long events are collected before the next Snapshot: short beside the
// time a pod takes to become ready, and long beside that of building a Snapshot.
const settleTime = 20 * time.Millisecond

// eventComponent is the source that the API's events name.
const eventComponent = "sandkube-network"

// Options are Watch's. OnChange and Synced are called one after the other, never at once;
// the next Snapshot waits until they return.
type Options struct {
	Nodes Nodes
	// LoadBalancerAddress is what Services of type LoadBalancer get as their status. With
	// the zero Addr, statuses are left alone.
	LoadBalancerAddress netip.Addr
	// OnChange takes each new Snapshot.
	OnChange func(*Snapshot)
	// Synced is called once, after OnChange has taken the first complete Snapshot. It may
	// be nil.
	Synced func()
	Log    *slog.Logger
}

// Watch follows the API's Services and EndpointSlices until ctx is done, and then returns
// nil. While the API server is away the latest Snapshot stays, and Watch tries again with
// back-off. Problems become Warning events of their objects.
//
// The client needs list and watch of both, patch of services/status, and create and patch
// of events. NewClient makes one.
func Watch(ctx context.Context, client kubernetes.Interface, options Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	informers, err := newInformers(client, notify, options.Log)
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events(v1.NamespaceAll)})
	defer broadcaster.Shutdown()
	w := watcher{
		options:   options,
		informers: informers,
		reporter: newReporter(broadcaster.NewRecorder(scheme.Scheme,
			v1.EventSource{Component: eventComponent, Host: options.Nodes.Names[0]}), options.Log),
		statuses: newStatusWriter(client, notify, options.Log),
	}

	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { informers.services.RunWithContext(ctx) })
	running.Go(func() { informers.slices.RunWithContext(ctx) })
	running.Go(func() { w.statuses.run(ctx) })
	if !cache.WaitFor(ctx, "", informers.synced...) {
		return nil
	}
	w.update()
	if options.Synced != nil {
		options.Synced()
	}
	for settle(ctx, changed) {
		w.update()
	}
	return nil
}

// settle waits for a change, and then until events have had time to come together. It
// returns false when ctx is done.
func settle(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(settleTime):
	}
	select {
	case <-changed:
	default:
	}
	return true
}

// watcher turns the informers' state into what follows from it.
type watcher struct {
	options   Options
	informers *informers
	reporter  *reporter
	statuses  *statusWriter
}

func (w *watcher) update() {
	services, slices := w.informers.state()
	snapshot, problems := Build(services, slices, w.options.Nodes)
	w.options.OnChange(snapshot)
	w.reporter.report(problems)
	if w.options.LoadBalancerAddress.IsValid() {
		w.statuses.offer(statusChanges(services, snapshot, w.options.LoadBalancerAddress))
	}
}
