// Package fault tells apart why a registry's content can not be had: from what came over
// the wire, not from the wording of errors.
package fault

import (
	"fmt"
	"time"
)

// Kind is what went wrong.
type Kind string

// The kinds. The TypeScript library knows the same.
const (
	// NotFound: the registry has no such image.
	NotFound Kind = "not-found"
	// Unauthorized: the registry wants an account, or another one.
	Unauthorized Kind = "unauthorized"
	// RateLimited: the registry answers no more for a while.
	RateLimited Kind = "rate-limited"
	// Refused: a proxy or a policy of the sandbox forbids the way.
	Refused Kind = "refused"
	// ProxyAccount: the proxy on the way wants an account, or another one.
	ProxyAccount Kind = "proxy-account"
	// Untrusted: no trusted CA has signed the server's certificate, or it is of another name.
	Untrusted Kind = "untrusted"
	// Unreachable: no connection can be made.
	Unreachable Kind = "unreachable"
	// Broken: the registry answers with something else than the protocol knows.
	Broken Kind = "broken"
)

// Fault is one thing that went wrong, with a host that is named.
type Fault struct {
	Kind Kind `json:"kind"`
	// Host is the host, with its port if that is not the scheme's, that was asked for.
	Host string `json:"host"`
	// Message says what happened, for people; it names no account.
	Message string `json:"message"`
	// Proxy is the proxy that the request went through; empty: none.
	Proxy string `json:"proxy,omitempty"`
	// Issuer is who signed a certificate that is not trusted.
	Issuer string `json:"issuer,omitempty"`
	// RetryAfterMs is how long the server asks to wait; 0: it does not say.
	RetryAfterMs int64 `json:"retryAfterMs,omitempty"`
	// Transient says that the same request may well succeed a little later.
	Transient bool `json:"-"`
}

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Host, f.Message) }

// RetryAfter is how long the server asks to wait.
func (f *Fault) RetryAfter() time.Duration {
	return time.Duration(f.RetryAfterMs) * time.Millisecond
}
