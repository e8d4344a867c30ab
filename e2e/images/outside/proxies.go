package main

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"sync"
)

// strictProxy is a proxy with an account and a list of what may be reached.
type strictProxy struct{ target string }

func (p strictProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	account := "Basic " + base64.StdEncoding.EncodeToString([]byte("proxy:hush"))
	if r.Header.Get("Proxy-Authorization") != account {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect || r.Host != "registry.example:443" {
		w.Header().Set("X-Deny-Reason", "host_not_allowed")
		w.WriteHeader(http.StatusForbidden)
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	client := accept(w)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
		})
	}
	both.Wait()
}

// intrusiveProxy ends each TLS connection itself, with a certificate of its own making, and
// answers in the server's place.
type intrusiveProxy struct {
	authority *authority
	handler   http.Handler
}

func (p intrusiveProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	certificate, err := p.authority.issue(host)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	connection := tls.Server(accept(w), &tls.Config{Certificates: []tls.Certificate{certificate}})
	listener := &single{connection: connection, closed: make(chan struct{})}
	_ = http.Serve(listener, p.handler)
}

// accept agrees to a tunnel, and returns the client's side of it.
func accept(w http.ResponseWriter) net.Conn {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	writer := bufio.NewWriter(connection)
	_, _ = writer.WriteString("HTTP/1.1 200 Connection established\r\n\r\n")
	_ = writer.Flush()
	return connection
}

// single is a listener for one connection.
type single struct {
	once       sync.Once
	connection net.Conn
	closed     chan struct{}
}

func (s *single) Accept() (connection net.Conn, err error) {
	s.once.Do(func() { connection = &closing{Conn: s.connection, ended: sync.OnceFunc(func() { close(s.closed) })} })
	if connection != nil {
		return connection, nil
	}
	<-s.closed
	return nil, net.ErrClosed
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return s.connection.LocalAddr() }

// closing tells when a connection has been closed.
type closing struct {
	net.Conn
	ended func()
}

func (c *closing) Close() error {
	c.ended()
	return c.Conn.Close()
}
