// Command oddities writes container images that are hard to load, sound ones and bad
// ones, into a directory. It is a tool of the end-to-end tests.
//
//	oddities BUSYBOX DIRECTORY
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: oddities BUSYBOX DIRECTORY")
		os.Exit(2)
	}
	program, err := os.ReadFile(os.Args[1])
	must(err)
	directory := os.Args[2]
	must(os.MkdirAll(directory, 0o755))
	base := userland(program)
	for name, content := range sound(base) {
		must(os.WriteFile(filepath.Join(directory, name), content, 0o644))
	}
	must(index(base).writeDirectory(filepath.Join(directory, "index")))
	for name, content := range bad(base) {
		must(os.WriteFile(filepath.Join(directory, name), content, 0o644))
	}
}

// userland is a layer with busybox under a few of its names.
func userland(program []byte) []byte {
	layer := newTar()
	layer.file("bin/busybox", 0o755, program)
	for _, name := range []string{"sh", "cat", "ls", "stat", "sleep", "id", "test", "wc", "head", "readlink", "du", "sync"} {
		layer.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}, nil)
	}
	layer.add(tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, nil)
	return layer.bytes()
}

// sound are images that have to work.
func sound(base []byte) map[string][]byte {
	l := layout{}
	many := [][]byte{base}
	for number := 1; number < 60; number++ {
		layer := newTar()
		layer.file(fmt.Sprintf("layers/%d", number), 0o644, []byte(fmt.Sprintln(number)))
		layer.file("layers/top", 0o644, []byte(fmt.Sprintln(number)))
		many = append(many, layer.bytes())
	}
	layers := l.name(l.image(runtime.GOARCH, many, true), "sandkube.local/layers:60").archive()
	files := layout{}
	odd := files.name(files.image(runtime.GOARCH, [][]byte{base, oddFiles(), whiteouts(), additions()}, true), "sandkube.local/odd:1").archive()
	return map[string][]byte{"layers.tar": layers, "odd.tar.gz": compress(odd), "large.tar": large(base), "docker.tar": docker(base)}
}

// large is an image with a gigabyte of zeros, which is small as long as it is compressed.
func large(base []byte) []byte {
	const size, step = 1 << 30, 64 << 20
	var head bytes.Buffer
	must(tar.NewWriter(&head).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Mode: 0o644, Size: size}))
	zeros, end := make([]byte, step), make([]byte, 1024)
	hash := sha256.New()
	// A gzip file may have many members.
	compressed, block := compress(head.Bytes()), compress(zeros)
	hash.Write(head.Bytes())
	for range size / step {
		hash.Write(zeros)
		compressed = append(compressed, block...)
	}
	hash.Write(end)
	compressed = append(compressed, compress(end)...)
	l := layout{}
	diffIDs := []string{"sha256:" + digestOf(base), "sha256:" + hex.EncodeToString(hash.Sum(nil))}
	layers := []descriptor{l.blob(gzipLayerType, compress(base)), l.blob(gzipLayerType, compressed)}
	return l.name(l.manifest(runtime.GOARCH, diffIDs, layers), "sandkube.local/large:1").archive()
}

// oddFiles is a layer with every kind of file, and an entry for each directory.
func oddFiles() []byte {
	t := newTar()
	t.add(tar.Header{Typeflag: tar.TypeDir, Name: "odd/", Mode: 0o2775, Uid: 1234, Gid: 5678}, nil)
	t.add(tar.Header{Typeflag: tar.TypeReg, Name: "odd/owned", Mode: 0o640, Uid: 1234, Gid: 5678}, []byte("owned\n"))
	t.add(tar.Header{Typeflag: tar.TypeReg, Name: "odd/setuid", Mode: 0o4755}, []byte("setuid\n"))
	t.add(tar.Header{Typeflag: tar.TypeLink, Name: "odd/hardlink", Linkname: "odd/owned", Mode: 0o640, Uid: 1234, Gid: 5678}, nil)
	t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "odd/symlink", Linkname: "/odd/owned", Mode: 0o777}, nil)
	t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "odd/dangling", Linkname: "../../../../nowhere", Mode: 0o777}, nil)
	t.add(tar.Header{Typeflag: tar.TypeChar, Name: "odd/null", Mode: 0o666, Devmajor: 1, Devminor: 3}, nil)
	t.add(tar.Header{Typeflag: tar.TypeFifo, Name: "odd/fifo", Mode: 0o644}, nil)
	// cap_net_raw=ep, as setcap writes it: VFS_CAP_REVISION_2 in linux/capability.h.
	capability := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	t.add(tar.Header{Typeflag: tar.TypeReg, Name: "odd/capable", Mode: 0o755, Format: tar.FormatPAX,
		PAXRecords: map[string]string{"SCHILY.xattr.security.capability": capability}}, []byte("capable\n"))
	deep := "odd/"
	for range 20 {
		deep += "long-name/"
		t.directory(deep)
	}
	t.file(deep+"file", 0o644, []byte("deep\n"))
	t.file("odd/ünïcödé 名", 0o644, []byte("unicode\n"))
	t.file("odd/empty", 0o000, nil)
	t.file("odd/zeros", 0o644, make([]byte, 20<<20))
	t.directory("doomed/")
	t.file("doomed/file", 0o644, []byte("doomed\n"))
	t.directory("emptied/")
	t.file("emptied/old", 0o644, []byte("old\n"))
	return t.bytes()
}

// whiteouts is a layer that removes a directory, and what was in another one.
func whiteouts() []byte {
	t := newTar()
	t.file(".wh.doomed", 0o600, nil)
	t.directory("emptied/")
	t.file("emptied/.wh..wh..opq", 0o600, nil)
	t.file("emptied/new", 0o644, []byte("new\n"))
	return t.bytes()
}

// additions is a layer without an entry for the directory that it adds to.
func additions() []byte {
	t := newTar()
	t.file("odd/added", 0o644, []byte("added\n"))
	return t.bytes()
}

// index is an image for two architectures, in a directory.
func index(base []byte) layout {
	l := layout{}
	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	elsewhere := newTar()
	elsewhere.file("elsewhere", 0o644, []byte("another machine\n"))
	list := l.document(indexType, map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []descriptor{
		l.image(other, [][]byte{elsewhere.bytes()}, true),
		l.image(runtime.GOARCH, [][]byte{base}, true),
	}})
	return l.name(list, "sandkube.local/index:1")
}

// docker is what `docker save` of old wrote.
func docker(base []byte) []byte {
	config := encode(map[string]any{
		"os": "linux", "architecture": runtime.GOARCH,
		"config": map[string]any{"Env": []string{"PATH=/bin"}, "Cmd": []string{"sh"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digestOf(base)}},
	})
	t := newTar()
	t.file("abc/layer.tar", 0o644, base)
	t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "def/layer.tar", Linkname: "../abc/layer.tar"}, nil)
	t.file(digestOf(config)+".json", 0o644, config)
	t.file("manifest.json", 0o644, encode([]map[string]any{{
		"Config":   digestOf(config) + ".json",
		"RepoTags": []string{"sandkube.local/docker:1", "sandkube.local/docker:also"},
		"Layers":   []string{"def/layer.tar"},
	}}))
	return t.bytes()
}
