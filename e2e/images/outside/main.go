// Command outside plays the world outside of a sandbox on the sandbox's own addresses: one
// registry behind servers of different manners, and proxies on the way there.
//
//	outside DIRECTORY ADDRESS ARCHIVE
//
// It puts the image of an archive, an OCI layout in a tar file, into the registry as
// team/app:1, and another one with a layer that stops half-way until DIRECTORY/release
// exists as team/slow:1, and one with a small layer of its own as team/other:1. It writes the certificates of its CAs to DIRECTORY, listens
// at ADDRESS, the proxies on the loopback address, and says so with a line.
//
//	5001  HTTP
//	5002  HTTPS, by the CA in ca.pem; wants the account user:sesame by way of a token
//	5003  HTTP; answers 429 to all
//	5004  HTTP; sends whoever wants a blob to blobs.example, which no one may reach
//	3128  proxy; wants proxy:hush, lets CONNECT to registry.example through to 5002 and answers 403 else
//	3129  proxy that puts itself between, with certificates by the CA in proxy-ca.pem
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const slowLayerBytes = 4 << 20

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: outside DIRECTORY ADDRESS ARCHIVE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintf(os.Stderr, "outside: %v\n", err)
		os.Exit(1)
	}
}

func run(directory, address, archive string) error {
	content := registry.New(registry.Logger(log.New(os.Stderr, "", 0)))
	slow, err := fill(content, archive, filepath.Join(directory, "layout"))
	if err != nil {
		return fmt.Errorf("fill the registry: %w", err)
	}
	content = slowly(content, slow, filepath.Join(directory, "release"))
	authority, err := newAuthority("private registries", filepath.Join(directory, "ca.pem"))
	if err != nil {
		return err
	}
	intruder, err := newAuthority("the sandbox's proxy", filepath.Join(directory, "proxy-ca.pem"))
	if err != nil {
		return err
	}
	closed := net.JoinHostPort(address, "5002")
	failed := make(chan error)
	serve := func(listener net.Listener, handler http.Handler) {
		go func() { failed <- http.Serve(listener, handler) }()
	}
	for port, handler := range map[string]http.Handler{
		"5001": content,
		"5003": http.HandlerFunc(tooMany),
		"5004": withoutBlobs(content),
	} {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, port))
		if err != nil {
			return err
		}
		serve(listener, handler)
	}
	listener, err := authority.listen(closed, address)
	if err != nil {
		return err
	}
	serve(listener, withToken(content))
	for port, handler := range map[string]http.Handler{
		"3128": strictProxy{target: closed},
		"3129": intrusiveProxy{authority: intruder, handler: withToken(content)},
	} {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return err
		}
		serve(listener, handler)
	}
	fmt.Println("listening")
	return <-failed
}

// fill puts the images in, and returns the name of the blob that is to come slowly.
func fill(content http.Handler, archive, directory string) (slow string, err error) {
	server := httptest.NewServer(content)
	defer server.Close()
	put := func(repository string, image v1.Image) error {
		reference, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/" + repository)
		if err != nil {
			return err
		}
		return remote.Write(reference, image)
	}
	app, err := readArchive(archive, directory)
	if err != nil {
		return "", err
	}
	layer, err := random.Layer(slowLayerBytes, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	if err != nil {
		return "", err
	}
	small, err := random.Layer(1<<10, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	if err != nil {
		return "", err
	}
	other, err := mutate.AppendLayers(app, small)
	if err != nil {
		return "", err
	}
	slowly, err := mutate.AppendLayers(app, layer)
	if err != nil {
		return "", err
	}
	digest, err := layer.Digest()
	if err != nil {
		return "", err
	}
	return digest.String(), errors.Join(put("team/app:1", app), put("proxy/team/app:1", app), put("team/slow:1", slowly), put("team/other:1", other))
}
