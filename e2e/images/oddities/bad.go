package main

import (
	"archive/tar"
	"bytes"
	"runtime"
	"strings"
)

// bad are archives that have to be refused, or whose layers must not reach out of their root.
func bad(base []byte) map[string][]byte {
	// A blob that the node has already is not read again, damaged or not.
	base = append(marker(), base...)
	whole := sealed(base, nil)
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte("\x7fELF"))+4096] ^= 0xff
	return map[string][]byte{
		"truncated.tar":     whole[:len(whole)/2],
		"truncated.tar.gz":  compress(whole)[:1<<18],
		"empty.tar":         {},
		"text.tar":          []byte(strings.Repeat("this is not an archive\n", 100)),
		"wrong-digest.tar":  flipped,
		"no-layer.tar":      without(base, func(path string, content []byte) bool { return len(content) == len(base) }),
		"wrong-diff-id.tar": wrongDiffID(base),
		"platform.tar":      platformArchive(base),
		"media-type.tar":    mediaType(base, "application/vnd.example.layer.v1.squashfs"),
		"schema1.tar":       schemaOne(),
		"nameless.tar":      nameless(base),
		"traversal.tar":     sealed(base, traversal()),
	}
}

// marker is the beginning of a layer, which makes it another one.
func marker() []byte {
	t := newTar()
	t.file("marker", 0o644, []byte("bad\n"))
	must(t.writer.Flush())
	return t.buffer.Bytes()
}

// sealed is an image of the base and perhaps one more layer.
func sealed(base, more []byte) []byte {
	layers := [][]byte{base}
	if more != nil {
		layers = append(layers, more)
	}
	l := layout{}
	return l.name(l.image(runtime.GOARCH, layers, false), "sandkube.local/bad:1").archive()
}

func without(base []byte, drop func(path string, content []byte) bool) []byte {
	l := layout{}
	l.name(l.image(runtime.GOARCH, [][]byte{base}, false), "sandkube.local/bad:1")
	for path, content := range l {
		if drop(path, content) {
			delete(l, path)
		}
	}
	return l.archive()
}

func wrongDiffID(base []byte) []byte {
	l := layout{}
	layer := l.blob(layerType, base)
	another := "sha256:" + digestOf([]byte("another"))
	return l.name(l.manifest(runtime.GOARCH, []string{another}, []descriptor{layer}), "sandkube.local/bad:1").archive()
}

func platformArchive(base []byte) []byte {
	l := layout{}
	return l.name(l.image("s390x", [][]byte{base}, false), "sandkube.local/bad:1").archive()
}

func mediaType(base []byte, layer string) []byte {
	l := layout{}
	layers := []descriptor{l.blob(layer, base)}
	return l.name(l.manifest(runtime.GOARCH, []string{"sha256:" + digestOf(base)}, layers), "sandkube.local/bad:1").archive()
}

func schemaOne() []byte {
	l := layout{}
	manifest := l.document("application/vnd.docker.distribution.manifest.v1+prettyjws", map[string]any{
		"schemaVersion": 1, "name": "library/old", "tag": "1", "architecture": runtime.GOARCH,
	})
	return l.name(manifest, "sandkube.local/bad:1").archive()
}

func nameless(base []byte) []byte {
	l := layout{}
	l.name(l.image(runtime.GOARCH, [][]byte{base}, false), "")
	return l.archive()
}

// traversal is a layer whose entries try to get out of the root.
func traversal() []byte {
	t := newTar()
	t.file("../../../../../../escaped-by-dots", 0o644, []byte("escaped\n"))
	t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "door", Linkname: "/", Mode: 0o777}, nil)
	t.file("door/escaped-by-link", 0o644, []byte("escaped\n"))
	t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "stairs", Linkname: "../../../../../../tmp", Mode: 0o777}, nil)
	t.file("stairs/escaped-by-relative-link", 0o644, []byte("escaped\n"))
	return t.bytes()
}
