// Command large makes a large image for measurements, and serves it as a registry.
//
//	large make DIRECTORY            writes the image and its layers
//	large serve DIRECTORY ADDRESS   serves layout-gzip, as large:1, over HTTP
//	large wait                      is what the image runs: it waits for SIGTERM
//
// The image has this program and 12 layers of 25 MB each, of files of different sizes, of which half the
// content can be compressed. DIRECTORY gets, for "plain" and "gzip", COMPRESSION.tar (an
// archive of an OCI layout), layers-COMPRESSION/NN.tar (what tar unpacks), and for gzip
// the layout itself.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "large: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "make":
		return writeImages(args[1])
	case len(args) == 3 && args[0] == "serve":
		handler, err := registryOf(args[1])
		if err != nil {
			return err
		}
		return http.ListenAndServe(args[2], handler)
	case len(args) == 1 && args[0] == "wait":
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		<-ended
		return nil
	default:
		return fmt.Errorf("usage: large make DIRECTORY, large serve DIRECTORY ADDRESS, or large wait")
	}
}
