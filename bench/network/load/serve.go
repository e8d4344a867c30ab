package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// answerBytes is the length of an answer's body: that of a short JSON document.
	answerBytes = 200
	// chunkBytes is how much of a stream is written or read at once.
	chunkBytes = 64 << 10
)

func runServe(flags *flag.FlagSet, arguments []string) error {
	requests := flags.String("http", ":8080", "`address` for HTTP requests")
	streams := flags.String("stream", ":8081", "`address` that sends each client zeros until it hangs up")
	name := flags.String("name", "", "`text` that /name answers")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	listener, err := listenConfig.Listen(context.Background(), "tcp4", *streams)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- sendStreams(listener) }()
	web, err := listenConfig.Listen(context.Background(), "tcp4", *requests)
	if err != nil {
		return err
	}
	go func() { failed <- newServer(*name).Serve(web) }()
	fmt.Printf("answering at %s, streaming at %s\n", web.Addr(), listener.Addr())
	return <-failed
}

func newServer(name string) *http.Server {
	answer := bytes.Repeat([]byte("."), answerBytes)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) })
	mux.HandleFunc("GET /name", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Hour}
}

// sendStreams sends to every client of a listener until that is closed.
func sendStreams(listener net.Listener) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			zeros := make([]byte, chunkBytes)
			for {
				// The client's hanging up is the only end there is.
				if _, err := client.Write(zeros); err != nil {
					return
				}
			}
		}()
	}
}
