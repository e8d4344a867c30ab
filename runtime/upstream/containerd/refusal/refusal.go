// Package refusal is of errors that the user can do something about: each says what is
// wrong and what to do next.
package refusal

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"sandkube.dev/upstream/containerd/fault"
)

// Kind says what is wrong, for programs. The TypeScript library knows the same.
type Kind string

// The kinds.
const (
	// Invalid is an archive or an image that is damaged, incomplete or of an unknown form.
	Invalid Kind = "invalid"
	// Platform is an image that is not for this machine.
	Platform Kind = "platform"
	// Space is a lack of it.
	Space Kind = "space"
	// NotFound is an image that the node does not have.
	NotFound Kind = "not-found"
	// InUse is an image that pods use.
	InUse Kind = "in-use"
	// Usage is a request that makes no sense, whatever the node has.
	Usage Kind = "usage"
	// Registry is an image that a registry, or the way to it, does not give.
	Registry Kind = "registry"
)

// Refusal is an error that the user can do something about.
type Refusal struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do, as whole sentences; may be empty
	// Faults are those of the hosts that a registry's image was asked of, the decisive one last.
	Faults []*fault.Fault `json:"faults,omitempty"`
}

// New makes a refusal without a hint.
func New(kind Kind, format string, arguments ...any) *Refusal {
	return &Refusal{Kind: kind, Message: fmt.Sprintf(format, arguments...)}
}

// OfFaults says why no host gives the image of a reference. There is at least one fault.
func OfFaults(reference string, faults []*fault.Fault) *Refusal {
	decisive := faults[len(faults)-1]
	message := decisive.Error()
	var before []string
	for _, earlier := range faults[:len(faults)-1] {
		before = append(before, earlier.Error())
	}
	if len(before) > 0 {
		message += "; asked before: " + strings.Join(before, "; ")
	}
	return &Refusal{Kind: Registry, Message: message, Hint: decisive.Hint(reference), Faults: faults}
}

// WithHint sets the hint.
func (r *Refusal) WithHint(hint string) *Refusal {
	r.Hint = hint
	return r
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Text is the message and the hint, for where nothing sets them apart.
func (r *Refusal) Text() string {
	if r.Hint == "" {
		return r.Message
	}
	return r.Message + ". " + r.Hint
}

// Decisive is the fault that a refusal of the kind Registry is for.
func (r *Refusal) Decisive() *fault.Fault { return r.Faults[len(r.Faults)-1] }

// Is reports whether an error says already what the user has to know.
func Is(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal)
}

// IsNoSpace looks at the text too, because an error that came by gRPC is no more than that.
func IsNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || (err != nil && strings.Contains(err.Error(), unix.ENOSPC.Error()))
}
