package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerLimit is how long a connection or an answer is waited for.
const answerLimit = 10 * time.Second

// connection sends HTTP requests one after the other. It is made for measuring: unlike
// http.Client it has no goroutines of its own, whose scheduling would be part of the figures.
type connection struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
}

// Connections that rest send nothing. Go's keep-alive probes, every 15 seconds, would come
// from thousands of them in the same moment, on both sides: gVisor of 2024-07 never recovers
// from such a burst on its links.
var (
	dialer       = net.Dialer{Timeout: answerLimit, KeepAlive: -1}
	listenConfig = net.ListenConfig{KeepAlive: -1}
)

// dial connects to a HOST:PORT and prepares requests for a path.
func dial(target, path string) (*connection, error) {
	conn, err := dialer.Dial("tcp4", target)
	if err != nil {
		return nil, err
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: netload\r\nAccept: */*\r\n\r\n", path, target)
	return &connection{conn: conn, reader: bufio.NewReader(conn), request: []byte(request)}, nil
}

// exchange sends the request and returns the answer's body.
func (c *connection) exchange() ([]byte, error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the answer is %s", answer.Status)
	}
	return body, err
}

// exchangeBy is exchange with a time by which the answer has to be there.
func (c *connection) exchangeBy(deadline time.Time) ([]byte, error) {
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	return c.exchange()
}

func (c *connection) close() { _ = c.conn.Close() }

// ask sends one request on a connection of its own.
func ask(target, path string) ([]byte, error) {
	connection, err := dial(target, path)
	if err != nil {
		return nil, err
	}
	defer connection.close()
	return connection.exchangeBy(time.Now().Add(answerLimit))
}
