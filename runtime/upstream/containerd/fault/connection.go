package fault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// ProxyRefusal is a proxy's answer, other than consent, to the wish for a tunnel.
type ProxyRefusal struct {
	Target     string
	StatusCode int
	Status     string
	// Reason is what the proxy says about it, as far as it does.
	Reason string
}

// Error implements error.
func (r *ProxyRefusal) Error() string {
	text := fmt.Sprintf("the proxy answers CONNECT %s with %s", r.Target, r.Status)
	if r.Reason != "" {
		text += fmt.Sprintf(" (%s)", r.Reason)
	}
	return text
}

// OfTunnel tells a proxy's answer to CONNECT that is no consent; nil: it is one.
func OfTunnel(target string, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyRefusal{Target: target, StatusCode: response.StatusCode, Status: response.Status, Reason: response.Header.Get(denyReason)}
}

// OfError tells why a request to a host got no answer. A nil proxy: there is none.
func OfError(host string, proxy *url.URL, err error) *Fault {
	made := &Fault{Kind: Unreachable, Transient: true, Host: host, Proxy: describeProxy(proxy), Message: err.Error()}
	var urlError *url.Error
	if errors.As(err, &urlError) {
		// Its text has the whole URL, which may be signed.
		made.Message = urlError.Err.Error()
	}
	var (
		refusal     *ProxyRefusal
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		lookup      *net.DNSError
		operation   *net.OpError
	)
	switch {
	case errors.As(err, &refusal):
		made.Kind, made.Message = kindOfTunnel(refusal.StatusCode), refusal.Error()
		made.Transient = made.Kind == Unreachable || made.Kind == RateLimited
	case errors.As(err, &certificate):
		made.Kind, made.Transient = Untrusted, false
		made.Message, made.Issuer = describeCertificate(certificate)
	case errors.As(err, &record):
		made.Kind, made.Transient = Broken, false
		made.Message = "it does not speak TLS"
		if record.RecordHeader == [5]byte{'H', 'T', 'T', 'P', '/'} {
			made.Message = "it speaks HTTP without TLS"
		}
	case errors.As(err, &lookup):
		// The resolver has asked several times already.
		made.Transient = false
		made.Message = fmt.Sprintf("the name %s can not be looked up", lookup.Name)
		if lookup.IsNotFound {
			made.Message = fmt.Sprintf("the name %s is not known", lookup.Name)
		}
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		made.Message = "no answer in time"
	case errors.As(err, &operation) && operation.Op == "dial":
		made.Message = describeDial(operation, proxy)
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		made.Message = fmt.Sprintf("the proxy can not be used: %v", operation.Err)
	}
	return made
}

// kindOfTunnel is the kind of a proxy's answer to CONNECT.
func kindOfTunnel(status int) Kind {
	if status >= 500 {
		// The proxy has tried.
		return Unreachable
	}
	switch status {
	case http.StatusTooManyRequests:
		return RateLimited
	case http.StatusProxyAuthRequired:
		return ProxyAccount
	}
	return Refused
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func describeDial(operation *net.OpError, proxy *url.URL) string {
	whom := "it"
	if proxy != nil {
		whom = "the proxy"
	}
	var errno syscall.Errno
	if errors.As(operation, &errno) {
		return fmt.Sprintf("no connection to %s at %v: %v", whom, operation.Addr, errno)
	}
	return fmt.Sprintf("no connection to %s: %v", whom, operation.Err)
}

// describeCertificate says what is wrong with a certificate, and who signed it.
func describeCertificate(err *tls.CertificateVerificationError) (message, issuer string) {
	if len(err.UnverifiedCertificates) > 0 {
		// The last one sent is the nearest to the CA.
		chain := err.UnverifiedCertificates
		issuer = chain[len(chain)-1].Issuer.String()
	}
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err.Err, &unknown):
		return fmt.Sprintf("its certificate is signed by %q, which is not trusted", issuer), issuer
	case errors.As(err.Err, &name):
		return fmt.Sprintf("its certificate, signed by %q, is for another name: %v", issuer, name), issuer
	case errors.As(err.Err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate is not valid at this time: %s", invalid.Detail), issuer
	}
	return err.Err.Error(), issuer
}
