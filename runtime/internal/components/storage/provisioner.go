package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v11/controller"
)

// Annotations by which a volume becomes one of type "local" instead of "hostPath"; the
// claim's goes before the class's. Kubernetes gives a local volume to the pod's fsGroup.
const (
	claimVolumeTypeAnnotation = "volumeType"
	classVolumeTypeAnnotation = "defaultVolumeType"
)

// selectedNodeAnnotation is where the scheduler says for which node a claim of a class
// that waits for its first consumer is to be provisioned.
const selectedNodeAnnotation = "volume.kubernetes.io/selected-node"

// maxNameBytes is the longest name of a file (NAME_MAX).
const maxNameBytes = 255

// provisioner makes the volumes of one node.
type provisioner struct {
	node        string
	directories directories
}

var (
	_ controller.Provisioner   = (*provisioner)(nil)
	_ controller.Qualifier     = (*provisioner)(nil)
	_ controller.DeletionGuard = (*provisioner)(nil)
)

func newProvisioner(config Config) *provisioner {
	return &provisioner{node: config.NodeName, directories: directories{path: config.Directory}}
}

// ShouldProvision is false for claims that another node's provisioner serves.
func (p *provisioner) ShouldProvision(_ context.Context, claim *v1.PersistentVolumeClaim) bool {
	node, selected := claim.Annotations[selectedNodeAnnotation]
	return !selected || node == p.node
}

// ShouldDelete is false for the volumes of other nodes.
func (p *provisioner) ShouldDelete(_ context.Context, volume *v1.PersistentVolume) bool {
	affinity := volume.Spec.NodeAffinity
	if affinity == nil || affinity.Required == nil {
		return false
	}
	for _, term := range affinity.Required.NodeSelectorTerms {
		for _, requirement := range term.MatchExpressions {
			if requirement.Key == v1.LabelHostname && requirement.Operator == v1.NodeSelectorOpIn && slices.Contains(requirement.Values, p.node) {
				return true
			}
		}
	}
	return false
}

// Provision makes the directory of a volume and describes the volume. It may be called
// again for a claim whose directory is there.
func (p *provisioner) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	volume, err := p.provision(options)
	return volume, controller.ProvisioningFinished, err
}

func (p *provisioner) provision(options controller.ProvisionOptions) (*v1.PersistentVolume, error) {
	if err := check(options); err != nil {
		return nil, err
	}
	source, err := sourceFunc(options)
	if err != nil {
		return nil, err
	}
	claim := options.PVC
	path, err := p.directories.make(directoryName(options.PVName, claim))
	if err != nil {
		return nil, fmt.Errorf("directory of the volume: %w", err)
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: ptr.Deref(options.StorageClass.ReclaimPolicy, v1.PersistentVolumeReclaimDelete),
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    ptr.To(v1.PersistentVolumeFilesystem),
			// The size is recorded, as by k3s: a directory has no limit of its own.
			Capacity:               v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource: source(path),
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{p.node}}},
			}}}},
		},
	}, nil
}

// Delete removes the directory of a volume. It is not called for volumes to retain.
func (p *provisioner) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	var path string
	switch source := volume.Spec.PersistentVolumeSource; {
	case source.HostPath != nil:
		path = source.HostPath.Path
	case source.Local != nil:
		path = source.Local.Path
	default:
		return fmt.Errorf("%s is neither a hostPath nor a local volume", volume.Name)
	}
	if err := p.directories.remove(path, volume.Name); err != nil {
		return fmt.Errorf("remove the directory of the volume: %w", err)
	}
	return nil
}

// check refuses what a directory can not give, rather than give something else. A claim
// of volumeMode Block is refused by the controller.
func check(options controller.ProvisionOptions) error {
	spec := options.PVC.Spec
	for _, mode := range spec.AccessModes {
		if mode != v1.ReadWriteOnce && mode != v1.ReadWriteOncePod {
			return fmt.Errorf("access mode %s is not supported: the volume is a directory of one node, for %s or %s", mode, v1.ReadWriteOnce, v1.ReadWriteOncePod)
		}
	}
	if spec.Selector != nil {
		return errors.New("a selector is not supported: it is for volumes that exist")
	}
	if spec.DataSource != nil || spec.DataSourceRef != nil {
		return errors.New("a data source is not supported: the volume would be empty")
	}
	if options.SelectedNode == nil {
		return fmt.Errorf("no node is selected: the StorageClass needs volumeBindingMode %s", storagev1.VolumeBindingWaitForFirstConsumer)
	}
	if parameters := options.StorageClass.Parameters; len(parameters) > 0 {
		names := slices.Sorted(maps.Keys(parameters))
		return fmt.Errorf("the StorageClass has parameters that are not supported: %s", strings.Join(names, ", "))
	}
	return nil
}

// sourceFunc returns how a path becomes a volume of the type that is asked for.
func sourceFunc(options controller.ProvisionOptions) (func(path string) v1.PersistentVolumeSource, error) {
	volumeType, found := options.PVC.Annotations[claimVolumeTypeAnnotation]
	if !found {
		volumeType, found = options.StorageClass.Annotations[classVolumeTypeAnnotation]
	}
	if !found {
		volumeType = "hostPath"
	}
	switch strings.ToLower(volumeType) {
	case "hostpath":
		return func(path string) v1.PersistentVolumeSource {
			return v1.PersistentVolumeSource{HostPath: &v1.HostPathVolumeSource{Path: path, Type: ptr.To(v1.HostPathDirectoryOrCreate)}}
		}, nil
	case "local":
		return func(path string) v1.PersistentVolumeSource {
			return v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}}
		}, nil
	default:
		return nil, fmt.Errorf("volume type %q is neither hostPath nor local", volumeType)
	}
}

// directoryName tells people whose volume it is. The volume's name, which is unique,
// comes first, so that a long name may be cut.
func directoryName(volume string, claim *v1.PersistentVolumeClaim) string {
	name := strings.Join([]string{volume, claim.Namespace, claim.Name}, "_")
	return name[:min(len(name), maxNameBytes)]
}
