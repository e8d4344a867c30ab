package fault_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sandkube.dev/upstream/containerd/fault"
)

// client is one whose requests a recorder watches; a nil proxy: it uses none.
func client(t *testing.T, recorder *fault.Recorder, proxy *url.URL, authorities *x509.CertPool) *http.Client {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyURL(proxy),
		TLSClientConfig: &tls.Config{RootCAs: authorities},
	}}
	if err := recorder.Watch(c); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask gets a URL, and returns the last fault that was recorded.
func ask(t *testing.T, recorder *fault.Recorder, c *http.Client, address string) *fault.Fault {
	t.Helper()
	response, err := c.Get(address)
	if err == nil {
		_ = response.Body.Close()
	}
	faults := recorder.Faults()
	if len(faults) == 0 {
		return nil
	}
	return faults[len(faults)-1]
}

func TestAnswersAreToldApart(t *testing.T) {
	const errorsOfRegistry = `{"errors":[{"code":"DENIED"}]}`
	for name, test := range map[string]struct {
		status    int
		header    map[string]string
		body      string
		want      fault.Kind
		transient bool
	}{
		"no account":            {status: 401, want: fault.Unauthorized},
		"another account":       {status: 403, body: errorsOfRegistry, want: fault.Unauthorized},
		"a policy's word":       {status: 403, header: map[string]string{"X-Deny-Reason": "host_not_allowed"}, want: fault.Refused},
		"no such image":         {status: 404, want: fault.NotFound},
		"too many requests":     {status: 429, header: map[string]string{"Retry-After": "7"}, want: fault.RateLimited, transient: true},
		"a proxy's own account": {status: 407, want: fault.ProxyAccount},
		"a failing registry":    {status: 503, want: fault.Broken, transient: true},
		"nonsense":              {status: 418, want: fault.Broken},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for key, value := range test.header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			recorder := &fault.Recorder{}
			got := ask(t, recorder, client(t, recorder, nil, nil), server.URL+"/v2/a/manifests/1")
			if got == nil || got.Kind != test.want || got.Transient != test.transient {
				t.Fatalf("%+v, want %s, transient: %v", got, test.want, test.transient)
			}
			if test.status == 429 && got.RetryAfter() != 7*time.Second {
				t.Errorf("retry after %v", got.RetryAfter())
			}
		})
	}
}

func TestConnectionsAreToldApart(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Deny-Reason", "host_not_allowed")
		w.WriteHeader(http.StatusForbidden)
	}))
	defer refusing.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	refusingProxy := parse(t, strings.Replace(refusing.URL, "//", "//user:hush@", 1))
	for name, test := range map[string]struct {
		address string
		proxy   *url.URL
		want    fault.Kind
		message string
	}{
		"a CA that is not trusted":    {address: secure.URL, want: fault.Untrusted, message: "not trusted"},
		"HTTP where TLS is expected":  {address: strings.Replace(plain.URL, "http", "https", 1), want: fault.Broken, message: "HTTP without TLS"},
		"nobody listens":              {address: gone.URL, want: fault.Unreachable, message: "connection refused"},
		"a proxy that refuses":        {address: "https://r.example/", proxy: refusingProxy, want: fault.Refused, message: "CONNECT r.example:443 with 403 Forbidden (host_not_allowed)"},
		"a proxy that refuses HTTP":   {address: "http://r.example/", proxy: refusingProxy, want: fault.Refused, message: "host_not_allowed"},
		"a proxy that does not exist": {address: "https://r.example/", proxy: parse(t, gone.URL), want: fault.Unreachable, message: "proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := &fault.Recorder{}
			got := ask(t, recorder, client(t, recorder, test.proxy, nil), test.address)
			if got == nil || got.Kind != test.want || !strings.Contains(got.Message, test.message) {
				t.Fatalf("%+v, want %s with %q", got, test.want, test.message)
			}
			if strings.Contains(got.Message+got.Proxy, "hush") {
				t.Errorf("the proxy's password is told: %+v", got)
			}
		})
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestWhatAnotherMirrorHasIsNoFault(t *testing.T) {
	have := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer have.Close()
	lack := httptest.NewServer(http.NotFoundHandler())
	defer lack.Close()
	recorder := &fault.Recorder{}
	c := client(t, recorder, nil, nil)
	if got := ask(t, recorder, c, lack.URL+"/v2/a/manifests/1?ns=r.example"); got == nil || got.Kind != fault.NotFound {
		t.Fatalf("the mirror's fault is %+v", got)
	}
	if got := ask(t, recorder, c, have.URL+"/v2/prefix/a/manifests/1"); got != nil {
		t.Errorf("%+v is left", got)
	}
}

func TestABlobIsFollowedToWhereItLies(t *testing.T) {
	forbidden := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer forbidden.Close()
	registry := httptest.NewServer(http.RedirectHandler(forbidden.URL+"/elsewhere?signature=hush", http.StatusTemporaryRedirect))
	defer registry.Close()
	recorder := &fault.Recorder{}
	got := ask(t, recorder, client(t, recorder, nil, nil), registry.URL+"/v2/a/blobs/sha256:1")
	if got == nil || got.Kind != fault.Refused || "http://"+got.Host != forbidden.URL || strings.Contains(got.Message, "hush") {
		t.Errorf("%+v, want a refusal by %s", got, forbidden.URL)
	}
}
