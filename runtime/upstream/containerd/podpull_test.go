package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// asContainerd makes the program of these tests be the containerd of one of them.
const asContainerd = "SANDKUBE_TEST_AS_CONTAINERD"

func TestMain(m *testing.M) {
	config := os.Getenv(asContainerd)
	if config == "" {
		os.Exit(m.Run())
	}
	if err := run("containerd", []string{"containerd", "--config", config}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// copies is as much of a node's configuration as pulls need, with snapshots that are copies.
const copies = `version = 3
root = '%[1]s/root'
state = '%[1]s/state'
disabled_plugins = ['io.containerd.nri.v1.nri']
[grpc]
  address = '%[1]s/socket'
[ttrpc]
  address = '%[1]s/socket.ttrpc'
[plugins.'io.containerd.grpc.v1.cri']
  disable_tcp_service = true
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'native'
[plugins.'io.containerd.cri.v1.runtime'.cni]
  conf_dir = '%[1]s/cni'
`

func TestAPodsImageIsUnpackedOnceWhereSnapshotsAreCopies(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("containerd needs root")
	}
	registry := httptest.NewServer(imageOf(t, "first", "second"))
	defer registry.Close()
	host := strings.TrimPrefix(registry.URL, "http://")
	containerd := startContainerd(t)
	ctx := t.Context()
	service := cri.NewImageServiceClient(containerd.Conn().(grpc.ClientConnInterface))
	pull := func(name string) error {
		_, err := service.PullImage(ctx, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: host + "/" + name}})
		return err
	}
	if err := pull("app:1"); err != nil {
		t.Fatal(err)
	}
	count := 0
	if err := containerd.SnapshotService("native").Walk(ctx, func(context.Context, snapshots.Info) error {
		count++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if count != 1 {
		t.Errorf("there are %d snapshots of an image with two layers, want one of the whole", count)
	}
	if err := pull("none:1"); err == nil || !strings.Contains(err.Error(), "404 Not Found. Check the name") {
		t.Errorf("an image that does not exist: %v", err)
	}
}

// startContainerd starts one that ends with the test.
func startContainerd(t *testing.T) *client.Client {
	t.Helper()
	// A socket's path has a limit that the names of tests' directories exceed.
	directory, err := os.MkdirTemp("", "sandkube-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	config := filepath.Join(directory, "config.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, copies, directory), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asContainerd+"="+config)
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			t.Logf("containerd:\n%s", &log)
		}
	})
	connected, err := client.New(filepath.Join(directory, "socket"), client.WithDefaultNamespace("k8s.io"), client.WithTimeout(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connected.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if serving, err := connected.IsServing(ctx); err != nil || !serving {
		t.Fatalf("containerd serves: %v, %v", serving, err)
	}
	return connected
}

// imageOf is a registry that has app:1, an image with a layer for each file.
func imageOf(t *testing.T, files ...string) http.Handler {
	t.Helper()
	config := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	blobs := make(map[string][]byte)
	put := func(mediaType string, content []byte) ocispec.Descriptor {
		of := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
		blobs[of.Digest.String()] = content
		return of
	}
	for _, name := range files {
		layer := layerWith(t, name)
		manifest.Layers = append(manifest.Layers, put(ocispec.MediaTypeImageLayer, layer))
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(layer))
	}
	manifest.Config = put(ocispec.MediaTypeImageConfig, encode(t, config))
	blobs["1"] = encode(t, manifest)
	put(ocispec.MediaTypeImageManifest, blobs["1"])
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		content, found := blobs[request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]]
		if !found || !strings.HasPrefix(request.URL.Path, "/v2/app/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(content).String())
		http.ServeContent(w, request, "", time.Time{}, bytes.NewReader(content))
	})
}

func layerWith(t *testing.T, name string) []byte {
	t.Helper()
	var layer bytes.Buffer
	writer := tar.NewWriter(&layer)
	if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(name)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write([]byte(name)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return layer.Bytes()
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	document, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
