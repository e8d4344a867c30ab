package probe

import (
	"fmt"
	"io"
	"net"
	"time"
)

// loopbackFacts are tried in the sandbox's own network namespace: in a new one, lo is down.
func loopbackFacts() []fact {
	return []fact{{"network.loopback-range", tryLoopbackRange}}
}

// tryLoopbackRange talks by TCP and by UDP to an address of 127.0.0.0/8 that no link has been
// given: there, host-network mode has the addresses of Services.
func tryLoopbackRange(*trial) Result {
	for _, network := range []string{"tcp4", "udp4"} {
		if err := echoAt(network, "127.43.255.254:0"); err != nil {
			return no(err, "talk over %s to an address of 127.0.0.0/8", network)
		}
	}
	return yes("sockets at an address of 127.0.0.0/8 were used")
}

// echoAt opens a socket at an address and exchanges a byte with it.
func echoAt(network, address string) error {
	at, err := startEcho(network, address)
	if err != nil {
		return err
	}
	connection, err := net.Dial(network, at)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(defaultTimeout)); err != nil {
		return err
	}
	if _, err := connection.Write([]byte{1}); err != nil {
		return err
	}
	_, err = io.ReadFull(connection, make([]byte, 1))
	return err
}

// startEcho answers one client. The socket goes with the process.
func startEcho(network, address string) (at string, err error) {
	if network == "udp4" {
		socket, err := net.ListenPacket(network, address)
		if err != nil {
			return "", err
		}
		go func() {
			buffer := make([]byte, 1)
			if count, client, err := socket.ReadFrom(buffer); err == nil {
				_, _ = socket.WriteTo(buffer[:count], client)
			}
		}()
		return socket.LocalAddr().String(), nil
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	go func() {
		if connection, err := listener.Accept(); err == nil {
			_, _ = io.CopyN(connection, connection, 1)
		}
	}()
	return listener.Addr().String(), nil
}
