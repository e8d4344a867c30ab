// Package host changes what a node needs changed outside the cluster's directory
// (the pod bridge, lo, cgroups) and puts it back.
//
// Each change is on record before it is made, so that whatever kills the process,
// Restore knows all there is to undo.
package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kind names what a change has done to its target.
type kind string

const (
	// bridgeMade: the link named by the target was made.
	bridgeMade kind = "bridge-made"
	// linkRaised: the link named by the target was set up.
	linkRaised kind = "link-raised"
	// cgroupMade: the target, the node's directory in a cgroup hierarchy, was made.
	cgroupMade kind = "cgroup-made"
	// cgroupParentMade: the target, a directory above the node's, was made.
	cgroupParentMade kind = "cgroup-parent-made"
	// controllerEnabled: the controller was enabled in the target, a cgroup.subtree_control.
	controllerEnabled kind = "controller-enabled"
)

// change is one entry of the record.
type change struct {
	Kind   kind   `json:"kind"`
	Target string `json:"target"`
	// Controller is the cgroup controller that was enabled.
	Controller string `json:"controller,omitempty"`
}

func (c change) sameThing(other change) bool {
	return c.Kind == other.Kind && c.Target == other.Target && c.Controller == other.Controller
}

// above says whether the target of another change lies below this one's.
func (c change) above(other change) bool {
	return strings.HasPrefix(other.Target, c.Target+"/")
}

func (c change) inNetwork() bool {
	return c.Kind == bridgeMade || c.Kind == linkRaised
}

// record is the file host.json of a cluster.
type record struct {
	// BootID and NetworkNamespace say where the changes were made: after a restart of
	// the machine none is left, and links belong to a namespace.
	BootID           string   `json:"bootId"`
	NetworkNamespace string   `json:"networkNamespace"`
	Changes          []change `json:"changes"`
}

func (r *record) find(wanted change) (change, bool) {
	i := slices.IndexFunc(r.Changes, wanted.sameThing)
	if i < 0 {
		return change{}, false
	}
	return r.Changes[i], true
}

// readRecord returns the part of a record that is about this boot and this network
// namespace, and whether there is a file at all.
func readRecord(path string, here record) (record, bool, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return here, false, nil
	}
	if err != nil {
		return record{}, false, fmt.Errorf("host record: %w", err)
	}
	var read record
	if err := json.Unmarshal(content, &read); err != nil {
		return record{}, true, fmt.Errorf("host record %s: %w", path, err)
	}
	if read.BootID != here.BootID {
		return here, true, nil
	}
	if read.NetworkNamespace != here.NetworkNamespace {
		read.Changes = slices.DeleteFunc(read.Changes, change.inNetwork)
		read.NetworkNamespace = here.NetworkNamespace
	}
	return read, true, nil
}

// write replaces the file as a whole, and has it on disk before it returns.
func (r *record) write(path string) (err error) {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode host record: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write host record: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write host record: %w", err), os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(append(content, '\n'))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// emptyRecordHere is a record of nothing, made where this process is.
func emptyRecordHere() (record, error) {
	// Old kernels of sandboxes have no boot ID: there, every boot is taken for the same.
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return record{}, fmt.Errorf("boot ID: %w", err)
	}
	namespace, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return record{}, fmt.Errorf("network namespace: %w", err)
	}
	return record{BootID: strings.TrimSpace(string(bootID)), NetworkNamespace: namespace}, nil
}
