package ociadapter

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The annotation by which containerd's CRI marks the container that holds a pod's
// namespaces (containerd's internal/cri/annotations).
const (
	containerTypeAnnotation = "io.kubernetes.cri.container-type"
	podSandbox              = "sandbox"
)

// caBundleInContainer is where a container finds Settings.CABundle: in the file system that it
// has of its own for /dev, so that neither its image nor a volume gets a mount point for it.
const caBundleInContainer = "/dev/sandkube-ca-bundle.pem"

// addWayOut gives a container the variables and the CA certificates with which programs
// find their way out of the sandbox. The container that only holds a pod's namespaces
// needs none.
func addWayOut(spec object, settings Settings) (changed bool, err error) {
	if len(settings.Environment) == 0 && settings.CABundle == "" {
		return false, nil
	}
	var annotations map[string]string
	if err := decodeField(spec, "annotations", &annotations); err != nil {
		return false, err
	}
	if annotations[containerTypeAnnotation] == podSandbox {
		return false, nil
	}
	var process object
	if err := decodeField(spec, "process", &process); err != nil {
		return false, err
	}
	if process != nil {
		changed, err = addVariables(process, settings.Environment)
		if err != nil {
			return false, fmt.Errorf("process.%w", err)
		}
	}
	if changed {
		if spec["process"], err = encode(process); err != nil {
			return false, err
		}
	}
	mounted, err := addCABundle(spec, settings.CABundle)
	return changed || mounted, err
}

// editProcess does for a process that is started in a running container what addWayOut
// does for the container's first one: its specification has the variables of the pod alone.
func editProcess(input []byte, settings Settings) ([]byte, error) {
	if len(settings.Environment) == 0 {
		return input, nil
	}
	var process object
	if err := json.Unmarshal(input, &process); err != nil {
		return nil, err
	}
	changed, err := addVariables(process, settings.Environment)
	if err != nil {
		return nil, err
	}
	if !changed {
		return input, nil
	}
	return encode(process)
}

// addVariables adds those variables that are not set yet, in whichever case: a container
// that sets http_proxy gets no HTTP_PROXY beside it.
func addVariables(process object, variables map[string]string) (changed bool, err error) {
	var environment []string
	if err := decodeField(process, "env", &environment); err != nil {
		return false, err
	}
	own := make(map[string]bool)
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		own[strings.ToUpper(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !own[strings.ToUpper(name)] {
			environment = append(environment, name+"="+variables[name])
			changed = true
		}
	}
	if changed {
		process["env"], err = encode(environment)
	}
	return changed, err
}

// addCABundle mounts the bundle where a container finds it.
func addCABundle(spec object, bundle string) (changed bool, err error) {
	if bundle == "" {
		return false, nil
	}
	var mounts []json.RawMessage
	if err := decodeField(spec, "mounts", &mounts); err != nil {
		return false, err
	}
	for i, mount := range mounts {
		var known specs.Mount
		if err := json.Unmarshal(mount, &known); err != nil {
			return false, fmt.Errorf("mounts[%d]: %w", i, err)
		}
		if known.Destination == caBundleInContainer {
			return false, nil
		}
	}
	mount, err := encode(specs.Mount{
		Destination: caBundleInContainer,
		Type:        "bind",
		Source:      bundle,
		Options:     []string{"bind", "ro", "nosuid", "nodev", "noexec"},
	})
	if err != nil {
		return false, err
	}
	spec["mounts"], err = encode(append(mounts, mount))
	return true, err
}

// decodeField leaves the target as it is when the object has no such field.
func decodeField(in object, field string, target any) error {
	if len(in[field]) == 0 {
		return nil
	}
	if err := json.Unmarshal(in[field], target); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}
