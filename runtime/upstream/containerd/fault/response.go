package fault

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// excerptBytes is how much of an answer is looked at.
const excerptBytes = 4 << 10

// denyReason is the header by which egress proxies say why they refuse.
const denyReason = "X-Deny-Reason"

// OfResponse tells what is wrong with an answer; nil: nothing. It reads the beginning of
// the body and puts it back.
func OfResponse(response *http.Response, proxy *url.URL) *Fault {
	if response.StatusCode < 400 {
		return nil
	}
	request := response.Request
	made := &Fault{Host: request.URL.Host, Proxy: describeProxy(proxy), Kind: Broken}
	made.Transient = response.StatusCode >= 500
	made.Message = fmt.Sprintf("%s %s is answered with %s", request.Method, request.URL.Path, response.Status)
	switch response.StatusCode {
	case http.StatusUnauthorized:
		made.Kind = Unauthorized
	case http.StatusNotFound:
		made.Kind = NotFound
	case http.StatusTooManyRequests:
		made.Kind, made.Transient = RateLimited, true
		made.RetryAfterMs = retryAfter(response.Header).Milliseconds()
	case http.StatusProxyAuthRequired:
		made.Kind = ProxyAccount
	case http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		made.Kind = Unauthorized
		if reason, refused := refusal(response, proxy); refused {
			made.Kind = Refused
			made.Message += reason
		}
	}
	return made
}

// refusal tells an answer of 403 that comes from something before the registry, and gives
// its words.
func refusal(response *http.Response, proxy *url.URL) (reason string, refused bool) {
	if reason := response.Header.Get(denyReason); reason != "" {
		return fmt.Sprintf(" (%s)", reason), true
	}
	if isRegistrys(response) {
		return "", false
	}
	// A registry that sends its client elsewhere has let it in already; and a proxy that
	// speaks HTTP for the client answers in the server's place.
	redirected := response.Request.Response != nil
	answersForServer := proxy != nil && response.Request.URL.Scheme == "http"
	return "", redirected || answersForServer
}

// isRegistrys says whether an answer speaks a registry's protocol: its version header, a
// challenge, or its form of errors (OCI distribution specification, "Error codes").
func isRegistrys(response *http.Response) bool {
	if response.Header.Get("Docker-Distribution-Api-Version") != "" || response.Header.Get("Www-Authenticate") != "" {
		return true
	}
	if response.Body == nil {
		return false
	}
	excerpt, _ := io.ReadAll(io.LimitReader(response.Body, excerptBytes))
	response.Body = &rejoined{Reader: io.MultiReader(bytes.NewReader(excerpt), response.Body), Closer: response.Body}
	return bytes.Contains(excerpt, []byte(`"errors"`))
}

// rejoined is a body whose beginning has been read.
type rejoined struct {
	io.Reader
	io.Closer
}

// retryAfter reads Retry-After: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(date).Round(time.Second))
	}
	return 0
}

// describeProxy is a proxy's address without its account.
func describeProxy(proxy *url.URL) string {
	if proxy == nil {
		return ""
	}
	return strings.TrimSuffix((&url.URL{Scheme: proxy.Scheme, Host: proxy.Host}).String(), "/")
}
