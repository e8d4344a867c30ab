package ociadapter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandkube.dev/upstream/runc/sysctl"
)

const (
	// podSandboxAnnotation is containerd's for the container that holds the pod's namespaces,
	// whose bundle lies beside those of the pod's other containers.
	podSandboxAnnotation = "io.kubernetes.cri.sandbox-id"
	// standInsAnnotation keeps, in the spec of the container that holds the pod's namespaces,
	// the settings that have stand-ins, as JSON: containerd tells no other container of them.
	standInsAnnotation = "sandkube.dev/sysctl-stand-ins"
	// bindSysctlsVerb is the adapter's own verb, by which a container's hook binds them.
	bindSysctlsVerb = "bind-sysctls"
)

// addSysctlStandIns takes those settings out of a container's spec that the kernel lacks (runc
// would not start the container), and gives the container stand-ins for those of its pod.
func addSysctlStandIns(spec, linux object, bundle, program string) (specChanged, linuxChanged bool, err error) {
	var annotations, settings map[string]string
	if err := errors.Join(decodeField(spec, "annotations", &annotations), decodeField(linux, "sysctl", &settings)); err != nil {
		return false, false, err
	}
	missing, err := sysctl.Missing(settings)
	if err != nil {
		return false, false, fmt.Errorf("linux.sysctl: %w", err)
	}
	if annotations[containerTypeAnnotation] != podSandbox {
		ofPod, err := podStandIns(bundle, annotations[podSandboxAnnotation])
		if err != nil {
			return false, false, err
		}
		maps.Copy(missing, ofPod)
	}
	if len(missing) == 0 {
		return false, false, nil
	}
	maps.DeleteFunc(settings, func(name, _ string) bool { _, isMissing := missing[name]; return isMissing })
	if linuxChanged = len(linux["sysctl"]) > 0; linuxChanged {
		if linux["sysctl"], err = encode(settings); err != nil {
			return false, false, err
		}
	}
	if annotations[containerTypeAnnotation] == podSandbox {
		return true, linuxChanged, annotate(spec, annotations, missing)
	}
	if err := sysctl.Prepare(bundle, missing); err != nil {
		return false, false, err
	}
	return true, linuxChanged, addHook(spec, program)
}

func annotate(spec object, annotations, standIns map[string]string) error {
	encoded, err := encode(standIns)
	if err != nil {
		return err
	}
	annotations[standInsAnnotation] = string(encoded)
	spec["annotations"], err = encode(annotations)
	return err
}

// podStandIns reads what the adapter has noted in the spec of the pod's first container.
func podStandIns(bundle, podSandboxID string) (map[string]string, error) {
	if podSandboxID == "" {
		return nil, nil
	}
	path := filepath.Join(filepath.Dir(bundle), podSandboxID, specFile)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("spec of the pod's first container: %w", err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(content, &spec); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	noted := spec.Annotations[standInsAnnotation]
	if noted == "" {
		return nil, nil
	}
	var standIns map[string]string
	if err := json.Unmarshal([]byte(noted), &standIns); err != nil {
		return nil, fmt.Errorf("%s: annotation %s: %w", path, standInsAnnotation, err)
	}
	return standIns, nil
}

// addHook lets runc call bindSysctlsMain in the container's mount namespace, when its procfs is
// mounted and not yet its root.
func addHook(spec object, program string) error {
	var hooks object
	var list []json.RawMessage
	if err := decodeField(spec, "hooks", &hooks); err != nil {
		return err
	}
	if hooks == nil {
		hooks = object{}
	}
	if err := decodeField(hooks, "createContainer", &list); err != nil {
		return err
	}
	hook, err := encode(specs.Hook{Path: program, Args: []string{adapterName, bindSysctlsVerb}})
	if err != nil {
		return err
	}
	if hooks["createContainer"], err = encode(append(list, hook)); err != nil {
		return err
	}
	spec["hooks"], err = encode(hooks)
	return err
}

// bindSysctlsMain is the hook: it reads the container's state, as runc gives it, and returns
// the exit status.
func bindSysctlsMain(state io.Reader, stderr io.Writer) int {
	if err := bindSysctls(state); err != nil {
		fmt.Fprintf(stderr, "%s %s: %v\n", adapterName, bindSysctlsVerb, err)
		return 1
	}
	return 0
}

func bindSysctls(input io.Reader) error {
	var state specs.State
	if err := json.NewDecoder(input).Decode(&state); err != nil {
		return fmt.Errorf("state of the container: %w", err)
	}
	content, err := os.ReadFile(filepath.Join(state.Bundle, specFile))
	if err != nil {
		return fmt.Errorf("container spec: %w", err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(content, &spec); err != nil {
		return fmt.Errorf("container spec: %w", err)
	}
	if spec.Root == nil {
		return errors.New("the container's spec has no root file system")
	}
	root := spec.Root.Path
	if !filepath.IsAbs(root) {
		root = filepath.Join(state.Bundle, root)
	}
	return sysctl.Bind(state.Bundle, filepath.Join(root, "proc"))
}
