package refusal_test

import (
	"strings"
	"testing"

	"sandkube.dev/upstream/containerd/fault"
	"sandkube.dev/upstream/containerd/refusal"
)

func TestTheLastHostDecides(t *testing.T) {
	refused := refusal.OfFaults("registry.example/a:1", []*fault.Fault{
		{Kind: fault.Unreachable, Host: "m.example", Message: "no answer in time"},
		{Kind: fault.RateLimited, Host: "registry.example", Message: "429", RetryAfterMs: 59_001},
	})
	const want = "registry.example: 429; asked before: m.example: no answer in time. Wait 60 s,"
	if !strings.HasPrefix(refused.Text(), want) {
		t.Errorf("%q does not begin with %q", refused.Text(), want)
	}
	if refused.Decisive().Kind != fault.RateLimited {
		t.Errorf("%+v decides", refused.Decisive())
	}
}

func TestHints(t *testing.T) {
	for kind, want := range map[fault.Kind]string{
		fault.NotFound:     "the tag",
		fault.Unauthorized: "account for h.example: to pods by imagePullSecrets",
		fault.RateLimited:  "Wait, use an account",
		fault.Refused:      "The way to h.example is forbidden",
		fault.ProxyAccount: "http://USER:PASSWORD@HOST:PORT",
		fault.Untrusted:    "SSL_CERT_FILE",
		fault.Unreachable:  "doctor --registry h.example/a:1",
		fault.Broken:       "--insecure",
	} {
		found := &fault.Fault{Kind: kind, Host: "h.example"}
		if got := found.Hint("h.example/a:1"); !strings.Contains(got, want) {
			t.Errorf("%s: %q lacks %q", kind, got, want)
		}
	}
}
