package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
)

// Types of ICMP messages (RFC 792).
const (
	echoRequest = 8
	echoReply   = 0
)

// echo sends an ICMP echo request (ping). Its socket needs no capability where the
// kernel lets the process's group have such sockets; its checksum is the kernel's to make.
func echo(host string, out io.Writer) error {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, syscall.IPPROTO_ICMP)
	if err != nil {
		return fmt.Errorf("socket for ICMP: %w", err)
	}
	defer syscall.Close(socket)
	timeout := syscall.NsecToTimeval(limit.Nanoseconds())
	if err := syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout); err != nil {
		return fmt.Errorf("limit of the socket for ICMP: %w", err)
	}
	request := append([]byte{echoRequest, 0, 0, 0, 0, 0, 0, 1}, "are you there?"...)
	if err := syscall.Sendto(socket, request, 0, &syscall.SockaddrInet4{Addr: address.As4()}); err != nil {
		return fmt.Errorf("send an echo request: %w", err)
	}
	reply := make([]byte, 1500)
	length, from, err := syscall.Recvfrom(socket, reply, 0)
	if err != nil {
		return fmt.Errorf("receive an echo reply: %w", err)
	}
	sender, isIPv4 := from.(*syscall.SockaddrInet4)
	if !isIPv4 || length < len(request) || reply[0] != echoReply {
		return errors.New("what was received is no echo reply")
	}
	_, err = fmt.Fprintln(out, netip.AddrFrom4(sender.Addr))
	return err
}
