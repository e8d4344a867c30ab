// Command image-archive writes a container image made of local files as an OCI
// archive, without a registry or a container engine. It is a tool of the build
// and of the tests and is not shipped.
//
//	image-archive -o hello.tar -ref sandkube.local/hello:1 -entrypoint /hello -file ./hello:/hello:0755
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sandkube.dev/runtime/internal/imagearchive"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "image-archive: %v\n", err)
		os.Exit(1)
	}
}

// run writes the archive and prints the image's digest.
func run(args []string, out io.Writer) error {
	output, spec, err := parse(args)
	if err != nil {
		return err
	}
	image, err := imagearchive.Build(spec)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	if err := replaceFile(output, func(w io.Writer) error {
		return imagearchive.Write(w, image, spec.Reference)
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, digest)
	return err
}

func parse(args []string) (output string, spec imagearchive.Spec, err error) {
	flags := flag.NewFlagSet("image-archive", flag.ContinueOnError)
	flags.StringVar(&output, "o", "", "`file` to write")
	flags.StringVar(&spec.Reference, "ref", "", "full `name` of the image, HOST/NAME:TAG")
	flags.StringVar(&spec.Architecture, "arch", "", "`architecture` by Go's name (default this machine's)")
	flags.StringVar(&spec.User, "user", "", "`user` to run as, UID[:GID]")
	flags.StringVar(&spec.WorkingDir, "workdir", "", "working `directory`")
	flags.Func("entrypoint", "a `word` of the entry point; repeatable", appendTo(&spec.Entrypoint))
	flags.Func("cmd", "a `word` of the default arguments; repeatable", appendTo(&spec.Command))
	flags.Func("env", "environment variable `NAME=VALUE`; repeatable", appendTo(&spec.Environment))
	flags.Func("file", "a file, `SOURCE:PATH:MODE` with an octal mode; repeatable", func(value string) error {
		parts := strings.Split(value, ":")
		if len(parts) != 3 {
			return fmt.Errorf("want SOURCE:PATH:MODE")
		}
		mode, err := parseMode(parts[2])
		if err != nil {
			return err
		}
		spec.Sources = append(spec.Sources, imagearchive.File(parts[0], parts[1], mode))
		return nil
	})
	flags.Func("dir", "a directory's content, `SOURCE:PATH`; an empty SOURCE makes an empty directory; repeatable", func(value string) error {
		from, to, ok := strings.Cut(value, ":")
		if !ok {
			return fmt.Errorf("want SOURCE:PATH")
		}
		spec.Sources = append(spec.Sources, imagearchive.Directory(from, to))
		return nil
	})
	flags.Func("link", "a symbolic link, `TARGET:PATH`; repeatable", func(value string) error {
		target, to, ok := strings.Cut(value, ":")
		if !ok {
			return fmt.Errorf("want TARGET:PATH")
		}
		spec.Sources = append(spec.Sources, imagearchive.Link(target, to))
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return "", spec, err
	}
	if output == "" || flags.NArg() > 0 {
		return "", spec, fmt.Errorf("usage: image-archive -o FILE -ref NAME [flags]; -h lists them")
	}
	return output, spec, nil
}

// parseMode reads an octal mode as chmod takes it.
func parseMode(octal string) (fs.FileMode, error) {
	bits, err := strconv.ParseUint(octal, 8, 12)
	if err != nil {
		return 0, fmt.Errorf("mode: %w", err)
	}
	mode := fs.FileMode(bits).Perm()
	if bits&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if bits&0o2000 != 0 {
		mode |= fs.ModeSetgid
	}
	if bits&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	return mode, nil
}

func appendTo(list *[]string) func(string) error {
	return func(value string) error {
		*list = append(*list, value)
		return nil
	}
}

// replaceFile writes a file beside the target and renames it, so that a reader
// sees the whole file or the one before.
func replaceFile(target string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(target), ".image-archive-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	buffered := bufio.NewWriter(file)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), target)
}
