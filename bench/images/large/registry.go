package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// registryOf serves an OCI layout by the part of the distribution API that a pull uses.
func registryOf(directory string) (http.Handler, error) {
	root := filepath.Join(directory, "layout-gzip")
	document, err := os.ReadFile(filepath.Join(root, "index.json"))
	if err != nil {
		return nil, err
	}
	var index struct{ Manifests []descriptor }
	if err := json.Unmarshal(document, &index); err != nil || len(index.Manifests) != 1 {
		return nil, fmt.Errorf("%s/index.json names no image: %w", root, err)
	}
	manifest := index.Manifests[0]
	blob := func(w http.ResponseWriter, r *http.Request, digest, mediaType string) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Docker-Content-Digest", digest)
		http.ServeFile(w, r, filepath.Join(root, "blobs", filepath.FromSlash(strings.Replace(filepath.Base(digest), ":", "/", 1))))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v2/large/manifests/{reference}", func(w http.ResponseWriter, r *http.Request) {
		blob(w, r, manifest.Digest, manifest.MediaType)
	})
	mux.HandleFunc("GET /v2/large/blobs/{digest}", func(w http.ResponseWriter, r *http.Request) {
		blob(w, r, r.PathValue("digest"), "application/octet-stream")
	})
	return mux, nil
}
