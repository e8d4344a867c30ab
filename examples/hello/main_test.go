package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	tests := []struct {
		path string
		code int
		body string
	}{
		{"/", http.StatusOK, "Hello from pod hello-1 on node node-1\n"},
		{"/healthz", http.StatusOK, "ok\n"},
		{"/missing", http.StatusNotFound, "404 page not found\n"},
	}
	for _, test := range tests {
		answer := httptest.NewRecorder()
		handler("Hello", "hello-1", "node-1").ServeHTTP(answer, httptest.NewRequest(http.MethodGet, test.path, nil))
		if answer.Code != test.code || answer.Body.String() != test.body {
			t.Errorf("GET %s answers %d %q, want %d %q", test.path, answer.Code, answer.Body, test.code, test.body)
		}
	}
}

func TestGet(t *testing.T) {
	server := httptest.NewServer(handler("Welcome", "hello-1", "node-1"))
	defer server.Close()
	tests := []struct{ path, body, failure string }{
		{"/", "Welcome from pod hello-1 on node node-1\n", ""},
		{"/missing", "", "404"},
	}
	for _, test := range tests {
		var body strings.Builder
		err := get(t.Context(), server.URL+test.path, &body)
		if body.String() != test.body {
			t.Errorf("get %s writes %q, want %q", test.path, body.String(), test.body)
		}
		if failed := err != nil; failed != (test.failure != "") {
			t.Errorf("get %s: error %v, want %q", test.path, err, test.failure)
		} else if failed && !strings.Contains(err.Error(), test.failure) {
			t.Errorf("get %s: error %v, want %q", test.path, err, test.failure)
		}
	}
}
