package gateway

import (
	"errors"
	"io"
	"net"
	"time"
)

func (r request) measure() (int64, error) {
	conn, err := r.dial("tcp4")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	switch r.Operation {
	case "down":
		if _, err := conn.Write([]byte{'d'}); err != nil {
			return 0, err
		}
		return io.CopyBuffer(io.Discard, onlyReader{conn}, make([]byte, 256<<10))
	case "up":
		if _, err := conn.Write([]byte{'u'}); err != nil {
			return 0, err
		}
		var total int64
		data := make([]byte, 256<<10)
		for start := time.Now(); time.Since(start) < 2*time.Second; {
			n, err := conn.Write(data)
			total += int64(n)
			if err != nil {
				return total, err
			}
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = conn.Read(data[:1])
		return total, nil
	case "rtt":
		if _, err := conn.Write([]byte{'e'}); err != nil {
			return 0, err
		}
		for range r.Count {
			if err := echo1(conn); err != nil {
				return 0, err
			}
		}
		return 0, nil
	case "connect":
		for range r.Count {
			c, err := r.dial("tcp4")
			if err != nil {
				return 0, err
			}
			_, _ = c.Write([]byte{'e'})
			if err := echo1(c); err != nil {
				return 0, err
			}
			c.Close()
		}
		return 0, nil
	}
	return 0, errors.New("unknown operation")
}

type onlyReader struct{ io.Reader }

func echo1(conn net.Conn) error {
	b := []byte{1}
	if _, err := conn.Write(b); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, b)
	return err
}

func serveMeasure(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, 256<<10)
			if _, err := io.ReadFull(c, b[:1]); err != nil {
				return
			}
			switch b[0] {
			case 'd':
				for start := time.Now(); time.Since(start) < 2*time.Second; {
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			case 'u':
				_, _ = io.CopyBuffer(io.Discard, onlyReader{c}, b)
			case 'e':
				_, _ = io.CopyBuffer(struct{ io.Writer }{c}, onlyReader{c}, b)
			}
		}()
	}
}
