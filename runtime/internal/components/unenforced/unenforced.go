// Package unenforced tells the owners of pods, by events, which kernel settings of their pods
// have no effect because the sandbox's kernel does not have them.
package unenforced

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-helpers/node/util/sysctl"
)

// Name of the service.
const Name = "unenforced-settings"

// reason is that of the events.
const reason = "NotEnforced"

// Run watches the pods of a node until ctx is done. It calls ready at once: no pod waits for it.
func Run(ctx context.Context, client kubernetes.Interface, node string, ready func()) error {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events(v1.NamespaceAll)})
	events := broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: Name, Host: node})

	ofNode := func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(ofNode))
	informer := factory.Core().V1().Pods().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(object any) {
		pod, isPod := object.(*v1.Pod)
		if !isPod {
			return
		}
		if message := messageFor(pod); message != "" {
			events.Event(pod, v1.EventTypeWarning, reason, message)
		}
	}})
	if err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	ready()
	informer.RunWithContext(ctx)
	return nil
}

// messageFor says which of a pod's kernel settings have no effect; empty when there are none.
func messageFor(pod *v1.Pod) string {
	if pod.Spec.SecurityContext == nil {
		return ""
	}
	var missing []string
	for _, setting := range pod.Spec.SecurityContext.Sysctls {
		if kernelLacks(setting.Name) {
			missing = append(missing, setting.Name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	slices.Sort(missing)
	names := strings.Join(missing, ", ")
	return fmt.Sprintf("the sandbox's kernel does not have %s: containers find a file with the value that was asked for, which has no effect", names)
}

// kernelLacks says whether there is no such setting. One that can not be looked up is refused
// where the container is started.
func kernelLacks(setting string) bool {
	// In a normalized name, dots separate directories and slashes stand for dots.
	path := strings.NewReplacer(".", "/", "/", ".").Replace(sysctl.NormalizeName(setting))
	_, err := os.Stat(filepath.Join("/proc/sys", path))
	return errors.Is(err, fs.ErrNotExist)
}
