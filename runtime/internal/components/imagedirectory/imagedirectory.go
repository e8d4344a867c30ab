// Package imagedirectory brings what lies in a directory to the node: the images of
// archives, and those that lists name, which are pulled. It has the form of k3s's
// (https://docs.k3s.io/installation/airgap). What is there at the start is brought in
// before the kubelet runs; what appears later, as soon as it is written.
//
// The directory is looked at again and again: what changes from outside of a gVisor
// sandbox, as in a directory that is shared with it, is in no event of inotify.
package imagedirectory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/client"
	"k8s.io/klog/v2"

	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "images"

const (
	// lookInterval is the time between two looks at the directory.
	lookInterval = 2 * time.Second
	// missingInterval is the same while there is no directory: most nodes never get one, and
	// are to be left asleep.
	missingInterval = 10 * time.Second
	// settleTime is how long a file has to stay as it is before it is read: it may still
	// be written.
	settleTime = 2 * time.Second
	// firstInterval and holdLimit are for the start, which waits for files that have
	// just been written, but not for one that grows and grows.
	firstInterval = 100 * time.Millisecond
	holdLimit     = 6 * time.Second
)

// Reporter is told what the service does. The message says what it is at or what it has
// done, the problems what it could not do; both are for people.
type Reporter interface {
	ServiceNews(service string, ready bool, message string, problems []string)
}

// Run calls ready when the archives that are there at the start are in the node, or are
// known not to be usable, and watches the directory until ctx is done. What can not be
// brought in is told; it stops nothing.
func Run(ctx context.Context, spec *nodespec.NodeView, reporter Reporter, ready func()) error {
	node, err := openNode(spec)
	if err != nil {
		return err
	}
	defer func() { _ = node.store.Close() }()
	directory := spec.Node.Images.Directory
	loaded, pulled := openRecord(spec.NodePath("images.json"), directory), newRecord()
	held, err := node.names(ctx)
	if err != nil {
		return err
	}
	loaded.forgetMissing(held)
	news := &bulletin{reporter: reporter, log: klog.Background().WithName(Name), records: []*record{loaded, pulled}}
	archives := &watch{directory: directory, accepts: isArchive, record: loaded, news: news, bring: node.load}
	lists := &watch{directory: directory, accepts: isList, record: pulled, news: news, bring: node.pullList}

	archives.untilSettled(ctx)
	if ctx.Err() != nil {
		return nil
	}
	ready()
	news.setReady()
	// A registry may take long to answer, or not answer at all: lists hold nothing up.
	var both sync.WaitGroup
	for _, one := range []*watch{archives, lists} {
		both.Go(func() { one.follow(ctx) })
	}
	both.Wait()
	return nil
}

// openNode connects to the node's containerd and to the program that works on its images.
func openNode(spec *nodespec.NodeView) (*node, error) {
	store, err := client.New(spec.ContainerdSocket(), client.WithDefaultNamespace(criNamespace))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	return &node{
		store: store,
		tool: tool{
			program:     spec.Program("sandkube-containerd"),
			socket:      spec.ContainerdSocket(),
			snapshotter: spec.Node.Containerd.Snapshotter,
			hosts:       spec.RegistryHosts(),
			accounts:    spec.RegistryAccounts(),
		},
	}, nil
}
