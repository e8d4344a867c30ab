package podpull

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/transfer"
	"github.com/containerd/containerd/v2/core/transfer/registry"
	"github.com/containerd/errdefs"
)

// resolving is as much of a transfer service as asks a registry.
type resolving struct{}

func (resolving) Transfer(ctx context.Context, from, _ any, _ ...transfer.Opt) error {
	_, _, err := from.(transfer.ImageFetcher).Resolve(ctx)
	return err
}

// holder has an account, as a pod's imagePullSecrets may.
type holder registry.Credentials

func (h holder) GetCredentials(context.Context, string, string) (registry.Credentials, error) {
	return registry.Credentials(h), nil
}

func TestPullsUseTheRightAccountAndSayWhyTheyFail(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		user, password, _ := request.BasicAuth()
		switch {
		case user != "user" || password != "secret":
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
		case !strings.Contains(request.URL.Path, "team/app"):
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
			w.Header().Set("Content-Length", "0")
		}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	onFile := `{"` + host + `": {"username": "user", "secret": "secret"}}`
	for name, test := range map[string]struct {
		given, onFile, image string
		want                 []string
		notFound             bool
	}{
		"the pod's account":         {given: "secret", image: "team/app:1"},
		"an account on file":        {onFile: onFile, image: "team/app:1"},
		"the pod's account is used": {given: "wrong", onFile: onFile, image: "team/app:1", want: []string{"401", "imagePullSecrets"}},
		"no account":                {image: "team/app:1", want: []string{host, "401", "imagePullSecrets"}},
		"no image":                  {given: "secret", image: "team/none:1", want: []string{"404", "Check the name"}, notFound: true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "accounts.json")
			if test.onFile != "" {
				if err := os.WriteFile(file, []byte(test.onFile), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			account := holder{}
			if test.given != "" {
				account = holder{Username: "user", Secret: test.given}
			}
			asked, err := registry.NewOCIRegistry(t.Context(), host+"/"+test.image, registry.WithCredentials(account), registry.WithHostDir(t.TempDir()))
			if err != nil {
				t.Fatal(err)
			}
			err = (&transferrer{Transferrer: resolving{}, accountsFile: file}).Transfer(t.Context(), asked, nil)
			if (err == nil) != (test.want == nil) {
				t.Fatalf("the pull ends with %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if errdefs.IsNotFound(err) != test.notFound {
				t.Errorf("the kind of %v is lost", err)
			}
		})
	}
}
