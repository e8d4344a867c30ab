package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

const (
	layerCount = 12
	// Each layer has files of these sizes, so many of each: 25 MB in 1,060 files.
	largeFiles, largeBytes   = 1, 10_000_000
	mediumFiles, mediumBytes = 60, 150_000
	smallFiles, smallBytes   = 1_000, 6_000
)

// programPath is where the first layer has this program.
const programPath = "large"

// layer is the tar archive of one layer. Equal numbers give equal archives.
func layer(number int) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	if number == 0 {
		if err := addProgram(writer); err != nil {
			return nil, err
		}
	}
	noise := rand.NewChaCha8([32]byte{byte(number)})
	root := fmt.Sprintf("layer-%02d/", number)
	errs := []error{writer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: root, Mode: 0o755, ModTime: time.Unix(0, 0)})}
	for _, kind := range []struct {
		name        string
		files, size int
	}{{"large", largeFiles, largeBytes}, {"medium", mediumFiles, mediumBytes}, {"small", smallFiles, smallBytes}} {
		for file := range kind.files {
			name := fmt.Sprintf("%s%s-%04d", root, kind.name, file)
			header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(kind.size), ModTime: time.Unix(0, 0)}
			errs = append(errs, writer.WriteHeader(header))
			_, err := writer.Write(content(noise, kind.size))
			errs = append(errs, err)
		}
	}
	err := errors.Join(append(errs, writer.Close())...)
	return out.Bytes(), err
}

func addProgram(writer *tar.Writer) error {
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: programPath, Mode: 0o755, Size: int64(len(program)), ModTime: time.Unix(0, 0)}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err = writer.Write(program)
	return err
}

// blockBytes is well below gzip's window.
const blockBytes = 8 << 10

// content is noise of which each block comes twice, so that it can be compressed to about half.
func content(noise *rand.ChaCha8, size int) []byte {
	var out []byte
	block := make([]byte, blockBytes)
	for len(out) < size {
		_, _ = noise.Read(block)
		out = append(append(out, block...), block...)
	}
	return out[:size]
}

func compress(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := writer.Write(plain)
	err = errors.Join(err, writer.Close())
	return out.Bytes(), err
}
