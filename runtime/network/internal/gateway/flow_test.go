package gateway

import (
	"net"
	"testing"
	"time"
)

func TestFlowExpiry(t *testing.T) {
	tests := []struct {
		name    string
		silence time.Duration
		replied bool
		alive   bool
	}{
		{"new", 0, false, true},
		{"without a reply", unrepliedTimeout - time.Second, false, true},
		{"without a reply for too long", unrepliedTimeout, false, false},
		{"replied to", unrepliedTimeout, true, true},
		{"replied to, silent for too long", repliedTimeout, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			flow := &flow{socket: socket}
			flow.lastNanoseconds.Store(time.Now().Add(-test.silence).UnixNano())
			flow.replied.Store(test.replied)
			if alive := flow.await(); alive != test.alive {
				t.Errorf("alive: %t, want %t", alive, test.alive)
			}
		})
	}
}

func TestParseExtendedError(t *testing.T) {
	// What Linux gives for an ICMP time exceeded from 192.0.2.9.
	fromRouter := []byte{113, 0, 0, 0, 2, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 0, 0}
	got, ok := parseExtendedError(fromRouter)
	if !ok || got.from.String() != "192.0.2.9" || got.kind != 11 || got.code != 0 {
		t.Errorf("got %+v, %t", got, ok)
	}
	local := append([]byte{}, fromRouter...)
	local[4] = 1
	if got, ok := parseExtendedError(local); ok {
		t.Errorf("an error of this machine gives %+v", got)
	}
}
