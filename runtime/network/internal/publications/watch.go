package publications

import (
	"context"
	"fmt"
	"log/slog"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"sandkube.dev/runtime/internal/nodespec"
)

// Watch follows the ConfigMap of the publications until ctx is done, and calls onChange
// with what it says; never at once. It need not exist.
func Watch(ctx context.Context, client kubernetes.Interface, onChange func([]Publication), log *slog.Logger) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithNamespace(metav1.NamespaceSystem),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("metadata.name", nodespec.PublicationsConfigMap).String()
		}))
	informer := factory.Core().V1().ConfigMaps().Informer()
	read := func(object any) {
		configMap, ok := object.(*v1.ConfigMap)
		if !ok {
			return
		}
		published, problems := parseAll(configMap.Data)
		for _, problem := range problems {
			log.Warn("not published", "error", problem)
		}
		onChange(published)
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    read,
		UpdateFunc: func(_, object any) { read(object) },
		DeleteFunc: func(any) { onChange(nil) },
	}); err != nil {
		return fmt.Errorf("watch the published ports: %w", err)
	}
	informer.RunWithContext(ctx)
	return nil
}
