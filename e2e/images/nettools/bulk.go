package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
)

func count(address string, out io.Writer) error {
	connection, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return err
	}
	defer connection.Close()
	length, err := io.Copy(io.Discard, connection)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, length)
	return err
}

func answerBulk(port, bytes string) error {
	length, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	defer listener.Close()
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		// A client that has gone needs no more.
		_, _ = io.CopyN(client, zeros{}, length)
		_ = client.Close()
	}
}

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
