package main

import (
	"net/http"
	"net/http/httptest"
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
		handler("hello-1", "node-1").ServeHTTP(answer, httptest.NewRequest(http.MethodGet, test.path, nil))
		if answer.Code != test.code || answer.Body.String() != test.body {
			t.Errorf("GET %s answers %d %q, want %d %q", test.path, answer.Code, answer.Body, test.code, test.body)
		}
	}
}
