package ociadapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// object is a JSON object whose values are kept as they were written: what the
// adapter does not edit, fields it has never heard of included, goes through
// unchanged, and no number is ever converted.
type object map[string]json.RawMessage

// surroundings is what an edit looks at beside the spec.
type surroundings struct {
	isDirectory func(path string) (bool, error)
	// bundle is the directory that the spec lies in.
	bundle string
	// program is the path of the program that the adapter is a part of, for hooks.
	program string
}

// editSpec applies the settings to a container's spec (OCI runtime specification,
// config.md). It returns its input if nothing is to be changed.
func editSpec(input []byte, settings Settings, surroundings surroundings) ([]byte, error) {
	var spec, linux object
	if err := json.Unmarshal(input, &spec); err != nil {
		return nil, err
	}
	if spec == nil {
		return nil, errors.New("not a JSON object")
	}
	if len(spec["linux"]) > 0 {
		if err := json.Unmarshal(spec["linux"], &linux); err != nil {
			return nil, fmt.Errorf("linux: %w", err)
		}
	}
	linuxChanged := false
	edits := []func() (bool, error){
		func() (bool, error) { return dropNamespaces(linux, settings.DropNamespaces) },
		func() (bool, error) { return settings.DropSeccomp && drop(linux, "seccomp"), nil },
		func() (bool, error) {
			if !settings.DropMaskedDirectories {
				return false, nil
			}
			return dropMaskedPaths(linux, surroundings.isDirectory)
		},
	}
	for _, edit := range edits {
		edited, err := edit()
		if err != nil {
			return nil, err
		}
		linuxChanged = linuxChanged || edited
	}
	specChanged, err := addWayOut(spec, settings)
	if err != nil {
		return nil, err
	}
	if settings.SysctlStandIns {
		standsIn, lacks, err := addSysctlStandIns(spec, linux, surroundings.bundle, surroundings.program)
		if err != nil {
			return nil, err
		}
		specChanged, linuxChanged = specChanged || standsIn, linuxChanged || lacks
	}
	if linuxChanged {
		if spec["linux"], err = encode(linux); err != nil {
			return nil, err
		}
	}
	if !linuxChanged && !specChanged {
		return input, nil
	}
	return encode(spec)
}

func drop(from object, field string) bool {
	_, present := from[field]
	delete(from, field)
	return present
}

func dropNamespaces(linux object, kinds []string) (bool, error) {
	return filter(linux, "namespaces", func(namespace specs.LinuxNamespace) (bool, error) {
		return !slices.Contains(kinds, string(namespace.Type)), nil
	})
}

func dropMaskedPaths(linux object, isDirectory func(path string) (bool, error)) (bool, error) {
	return filter(linux, "maskedPaths", func(path string) (bool, error) {
		directory, err := isDirectory(path)
		return !directory, err
	})
}

// filter keeps the elements of a list for which keep says so, each as it was written.
func filter[T any](in object, field string, keep func(T) (bool, error)) (changed bool, err error) {
	var elements, kept []json.RawMessage
	if len(in[field]) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(in[field], &elements); err != nil {
		return false, fmt.Errorf("linux.%s: %w", field, err)
	}
	for i, element := range elements {
		var value T
		if err := json.Unmarshal(element, &value); err != nil {
			return false, fmt.Errorf("linux.%s[%d]: %w", field, i, err)
		}
		keeps, err := keep(value)
		if err != nil {
			return false, fmt.Errorf("linux.%s[%d]: %w", field, i, err)
		}
		if keeps {
			kept = append(kept, element)
		}
	}
	if len(kept) == len(elements) {
		return false, nil
	}
	if len(kept) == 0 {
		delete(in, field)
		return true, nil
	}
	in[field], err = encode(kept)
	return true, err
}

// encode writes <, > and & as they are, as they were in the input.
func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}
