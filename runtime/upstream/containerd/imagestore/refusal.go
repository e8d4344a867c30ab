package imagestore

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind says what is wrong, for programs.
type Kind string

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
)

// Refusal is an error that the user can do something about.
type Refusal struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do, as whole sentences; may be empty
}

func (r *Refusal) Error() string { return r.Message }

func refuse(kind Kind, format string, arguments ...any) *Refusal {
	return &Refusal{Kind: kind, Message: fmt.Sprintf(format, arguments...)}
}

func (r *Refusal) withHint(hint string) *Refusal {
	r.Hint = hint
	return r
}

// isNoSpace looks at the text too, because an error that came by gRPC is no more than that.
func isNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || (err != nil && strings.Contains(err.Error(), unix.ENOSPC.Error()))
}

// isRefusal reports whether an error says already what the user has to know.
func isRefusal(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal)
}
