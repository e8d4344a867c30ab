package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"
)

// slowly stops half-way through a blob until a file exists.
func slowly(content http.Handler, digest, release string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, digest) {
			content.ServeHTTP(w, r)
			return
		}
		// The registry itself knows no ranges without an end.
		whole := r.Clone(r.Context())
		whole.Header.Del("Range")
		recorded := httptest.NewRecorder()
		content.ServeHTTP(recorded, whole)
		if r.Header.Get("Range") != "" {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(recorded.Body.Bytes()))
			return
		}
		for key, values := range recorded.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(recorded.Code)
		body := recorded.Body.Bytes()
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		for !exists(release) {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
		_, _ = io.Copy(w, bytes.NewReader(body[len(body)/2:]))
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tooMany answers as registries do to anonymous clients that ask for too much.
func tooMany(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "120")
	refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS")
}

// withoutBlobs leads to a place for blobs that can not be reached.
func withoutBlobs(content http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, "https://blobs.example"+r.URL.Path+"?signature=hush", http.StatusTemporaryRedirect)
			return
		}
		content.ServeHTTP(w, r)
	})
}

const token = "a-token-for-user"

// withToken lets whoever has a token in; user:sesame gets one.
func withToken(content http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			giveToken(w, r)
			return
		}
		if r.Header.Get("Authorization") != "Bearer "+token {
			challenge := fmt.Sprintf(`Bearer realm="https://%s/token",service="registry"`, r.Host)
			w.Header().Set("WWW-Authenticate", challenge)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
			return
		}
		content.ServeHTTP(w, r)
	})
}

// giveToken knows both ways to ask: with HTTP's authentication, and by a form (OAuth 2).
func giveToken(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if r.Method == http.MethodPost {
		user, password = r.FormValue("username"), r.FormValue("password")
	}
	if user != "user" || password != "sesame" {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token, "access_token": token})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"no"}]}`, code)
}
