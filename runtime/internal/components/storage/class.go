package storage

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
)

// className is k3s's.
const className = "local-path"

// defaultClassAnnotation marks the class of claims that name none
// (https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass).
const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class"

// ensureClass makes the StorageClass and tries until it is there: at a cluster's first
// start the API server answers before the right to make it is granted. The only error
// is that ctx is done.
func ensureClass(ctx context.Context, client kubernetes.Interface) error {
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: math.MaxInt, Cap: 5 * time.Second}
	return backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		err := makeClass(ctx, client)
		if err != nil {
			klog.FromContext(ctx).Info("The StorageClass can not be made yet", "class", className, "err", err)
		}
		return err == nil, nil
	})
}

// makeClass makes the StorageClass unless there is one of its name: that one is the
// user's, who may have changed it. It is the default unless another one is.
func makeClass(ctx context.Context, client kubernetes.Interface) error {
	classes := client.StorageV1().StorageClasses()
	present, err := classes.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list the storage classes: %w", err)
	}
	isDefault := true
	for _, class := range present.Items {
		if class.Name == className {
			return nil
		}
		if class.Annotations[defaultClassAnnotation] == "true" {
			isDefault = false
		}
	}
	_, err = classes.Create(ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name: className,
			Annotations: map[string]string{
				defaultClassAnnotation: strconv.FormatBool(isDefault),
				// As in k3s: unlike those of a hostPath, files of a local volume get a pod's fsGroup.
				classVolumeTypeAnnotation: "local",
			},
		},
		Provisioner:       ProvisionerName,
		ReclaimPolicy:     ptr.To(v1.PersistentVolumeReclaimDelete),
		VolumeBindingMode: ptr.To(storagev1.VolumeBindingWaitForFirstConsumer),
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the storage class %s: %w", className, err)
	}
	return nil
}
