package pull

import (
	"errors"

	"github.com/containerd/errdefs"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/refusal"
	"sandkube.dev/upstream/containerd/unpackstream"
)

// Circumstances are what is known of a pull that failed.
type Circumstances struct {
	// Reference is the image's, and Platform what was asked for.
	Reference, Platform string
	// Faults are what was seen of the requests to registries.
	Faults []*fault.Fault
	// CompressedBytes is what was announced of the image; 0: not known.
	CompressedBytes int64
}

// Explain finds what is behind the error of a pull: a *refusal.Refusal, or the error itself
// where people can do nothing about it.
func Explain(err error, pull Circumstances) error {
	var silence *fault.Fault
	why, tooLarge := unpackstream.ReasonTooLarge(err)
	switch {
	case refusal.Is(err):
		return err
	case errors.As(err, &silence):
		return refusal.OfFaults(pull.Reference, []*fault.Fault{silence})
	case tooLarge:
		return refusal.New(refusal.Invalid, "a layer becomes too large: %s", why).WithHint(unpackstream.HintTooLarge)
	case refusal.IsNoSpace(err):
		return noSpace(pull.CompressedBytes)
	case len(pull.Faults) > 0:
		return refusal.OfFaults(pull.Reference, pull.Faults)
	case errdefs.IsNotFound(err):
		// Every host has answered, and yet there is nothing: an index without this platform.
		return wrongPlatform(pull.Platform)
	}
	return err
}

func noSpace(compressedBytes int64) *refusal.Refusal {
	made := refusal.New(refusal.Space, "no space is left for it")
	if compressedBytes > 0 {
		made = refusal.New(refusal.Space, "no space is left for it; its layers have %d bytes before they are unpacked", compressedBytes)
	}
	return made.WithHint("`sandkube image prune --all` removes the images that no pod uses.")
}

func wrongPlatform(platform string) *refusal.Refusal {
	return refusal.New(refusal.Platform, "there is no image for %s", platform).
		WithHint("Name an image that has this platform, or another platform by --platform of `sandkube image pull`.")
}
