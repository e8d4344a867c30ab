package loopback

import (
	"net"
	"net/netip"
	"testing"
)

func TestListensInTheRangeWithoutAddingAnything(t *testing.T) {
	at := netip.MustParseAddrPort("127.43.7.9:0")
	if err := (Range{}).AddAddress(at.Addr()); err != nil {
		t.Fatal(err)
	}
	listener, err := Range{}.ListenTCP(at)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connection, err := net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
	socket, err := Range{}.ListenUDP(at)
	if err != nil {
		t.Fatal(err)
	}
	_ = socket.Close()
}

func TestRefusesOtherAddresses(t *testing.T) {
	for _, text := range []string{"0.0.0.0:0", "192.0.2.1:0", "[::1]:0"} {
		at := netip.MustParseAddrPort(text)
		if err := (Range{}).AddAddress(at.Addr()); err == nil {
			t.Errorf("the address of %s is accepted", text)
		}
		if listener, err := (Range{}).ListenTCP(at); err == nil {
			_ = listener.Close()
			t.Errorf("listens at %s by TCP", text)
		}
		if socket, err := (Range{}).ListenUDP(at); err == nil {
			_ = socket.Close()
			t.Errorf("listens at %s by UDP", text)
		}
	}
}
