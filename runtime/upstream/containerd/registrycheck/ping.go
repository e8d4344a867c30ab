package registrycheck

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"

	"sandkube.dev/upstream/containerd/fault"
)

// ping asks for the root of the registry's API, and tells of the steps up to its answer. It
// returns the answer if the registry wants to know who asks.
func (w *way) ping(ctx context.Context) (challenge *http.Response, found *fault.Fault) {
	w.recorder.Forget()
	address := &url.URL{Scheme: w.host.Scheme, Host: w.host.Host, Path: strings.TrimSuffix(w.host.Path, "/") + "/"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, w.failed("ping", err)
	}
	seen := &trace{}
	request = request.WithContext(httptrace.WithClientTrace(ctx, seen.hooks()))
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil {
		return nil, w.failed("connect", err)
	}
	response, err := w.host.Client.Do(request)
	reached := seen.tell(w, proxy)
	if err != nil {
		return nil, w.failed(reached, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		w.done("ping", "the registry answers")
		return nil, nil
	case http.StatusUnauthorized:
		w.done("ping", "the registry answers, and wants to know who asks")
		return response, nil
	}
	// A path below a registry's root has no root of its own.
	if response.StatusCode == http.StatusNotFound && w.host.Path != "/v2" {
		w.done("ping", "the registry answers")
		return nil, nil
	}
	return nil, w.failed("ping", fmt.Errorf("the answer is %s", response.Status))
}

// authorize does what a challenge asks for.
func (w *way) authorize(ctx context.Context, challenge *http.Response) error {
	if err := w.host.Authorizer.AddResponses(ctx, []*http.Response{challenge}); err != nil {
		return err
	}
	next := challenge.Request.Clone(ctx)
	return w.host.Authorizer.Authorize(ctx, next)
}

// trace notes how far a connection came. Its hooks may be called by several goroutines.
type trace struct {
	mu        sync.Mutex
	addresses []string
	connected string
	handshake *tls.ConnectionState
	tlsBegun  bool
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			for _, address := range info.Addrs {
				t.addresses = append(t.addresses, address.String())
			}
		},
		ConnectDone: func(_, address string, err error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			if err == nil {
				t.connected = address
			}
		},
		TLSHandshakeStart: func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.tlsBegun = true
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			if err == nil {
				t.handshake = &state
			}
		},
	}
}

// tell tells of the steps that succeeded, and returns the name of the next one.
func (t *trace) tell(w *way, proxy *url.URL) (next string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	whom := w.host.Host
	if proxy != nil {
		whom = "the proxy " + proxy.Host
	}
	if len(t.addresses) > 0 {
		w.done("name-lookup", fmt.Sprintf("%s is %s", whom, strings.Join(t.addresses, ", ")))
	} else if t.connected == "" && !isAddress(w.host.Host, proxy) {
		return "name-lookup"
	}
	tunnel := proxy != nil && w.host.Scheme == "https"
	if t.connected == "" || (tunnel && !t.tlsBegun) {
		return "connect"
	}
	if tunnel {
		w.done("connect", fmt.Sprintf("%s opens a tunnel to %s", whom, w.host.Host))
	} else {
		w.done("connect", fmt.Sprintf("connected to %s", t.connected))
	}
	if w.host.Scheme != "https" {
		return "ping"
	}
	if t.handshake == nil {
		return "tls"
	}
	w.done("tls", describeTrust(t.handshake))
	return "ping"
}

// isAddress says whether nothing has to be looked up on the way.
func isAddress(host string, proxy *url.URL) bool {
	first := &url.URL{Host: host}
	if proxy != nil {
		first = proxy
	}
	return net.ParseIP(first.Hostname()) != nil
}

func describeTrust(state *tls.ConnectionState) string {
	if len(state.VerifiedChains) == 0 {
		return "the certificate is not verified, as asked"
	}
	chain := state.VerifiedChains[0]
	return fmt.Sprintf("the certificate is signed by %q, which is trusted", chain[len(chain)-1].Subject)
}
