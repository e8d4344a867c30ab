package fault

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
)

// Recorder notes what goes wrong in the requests of HTTP clients to registries, as long as
// no other answer makes it good: what one mirror does not have, the next one may. Its
// methods may be called at the same time.
type Recorder struct {
	mu    sync.Mutex
	notes []note
}

// note is a fault in the request for an object.
type note struct {
	object string
	fault  *Fault
}

// Watch makes the recorder see a client's requests. It fits containerd's
// remotes/docker/config.UpdateClientFunc.
func (r *Recorder) Watch(client *http.Client) error {
	switch transport := client.Transport.(type) {
	case *watched:
		return nil
	case *http.Transport:
		transport.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, request *http.Request, response *http.Response) error {
			return OfTunnel(request.Host, response)
		}
		client.Transport = &watched{transport: transport, recorder: r}
		return nil
	}
	return errors.New("the HTTP client has a transport that can not be watched")
}

// Forget drops what has been noted.
func (r *Recorder) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = nil
}

// Faults are the latest fault of each host, the latest last.
func (r *Recorder) Faults() []*Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	var latest []*Fault
	seen := make(map[string]bool)
	for _, noted := range slices.Backward(r.notes) {
		if !seen[noted.fault.Host] {
			seen[noted.fault.Host] = true
			latest = append(latest, noted.fault)
		}
	}
	slices.Reverse(latest)
	return latest
}

func (r *Recorder) add(object string, fault *Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, note{object: object, fault: fault})
}

// resolve drops the faults of an object that has come after all.
func (r *Recorder) resolve(object string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = slices.DeleteFunc(r.notes, func(noted note) bool { return noted.object == object })
}

var content = regexp.MustCompile(`/(manifests|blobs)/[^/]+$`)

// objectOf names what a request is for: content has the same name at every host, and
// wherever a host sends its clients to.
func objectOf(request *http.Request) string {
	for request.Response != nil && request.Response.Request != nil {
		request = request.Response.Request
	}
	if name := content.FindString(request.URL.Path); name != "" {
		return name
	}
	return request.URL.Host + request.URL.Path
}

type watched struct {
	transport *http.Transport
	recorder  *Recorder
}

// RoundTrip implements http.RoundTripper.
func (w *watched) RoundTrip(request *http.Request) (*http.Response, error) {
	var proxy *url.URL
	if w.transport.Proxy != nil {
		// An error is met again in the round trip.
		proxy, _ = w.transport.Proxy(request)
	}
	response, err := w.transport.RoundTrip(request)
	if err != nil {
		// What is cancelled because something else failed tells nothing.
		if request.Context().Err() == nil {
			w.recorder.add(objectOf(request), OfError(request.URL.Host, proxy, err))
		}
		return nil, err
	}
	if fault := OfResponse(response, proxy); fault != nil {
		w.recorder.add(objectOf(request), fault)
	} else if response.StatusCode < 300 {
		w.recorder.resolve(objectOf(request))
	}
	return response, nil
}
