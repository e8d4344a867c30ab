package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
)

const (
	headerBytes = 12
	// longestMessage is that of DNS over UDP without EDNS (RFC 1035, 4.2.1).
	longestMessage = 512
	longestLabel   = 63

	recursionDesired = 1 << 8
	responseCodeMask = 0xf
	typeA            = 1
	classInternet    = 1
)

// question is a DNS query for the addresses of a name, ready to send but for its id.
type question struct {
	name    string
	message []byte
}

// newQuestion fails for what is no full name.
func newQuestion(name string) (question, error) {
	message := make([]byte, headerBytes, headerBytes+len(name)+6)
	binary.BigEndian.PutUint16(message[2:], recursionDesired)
	binary.BigEndian.PutUint16(message[4:], 1)
	rest, isFull := strings.CutSuffix(name, ".")
	if !isFull {
		return question{}, fmt.Errorf("%q does not end with a dot", name)
	}
	for label := range strings.SplitSeq(rest, ".") {
		if label == "" || len(label) > longestLabel {
			return question{}, fmt.Errorf("%q has a label of %d bytes", name, len(label))
		}
		message = append(append(message, byte(len(label))), label...)
	}
	message = append(message, 0)
	message = binary.BigEndian.AppendUint16(message, typeA)
	message = binary.BigEndian.AppendUint16(message, classInternet)
	return question{name: name, message: message}, nil
}

// ask sends the question on a socket that is connected to a name server, and fails unless
// the answer has a record.
func (q question) ask(socket net.Conn) error {
	id := uint16(rand.Uint32())
	message := binary.BigEndian.AppendUint16(make([]byte, 0, longestMessage), id)
	if _, err := socket.Write(append(message, q.message[2:]...)); err != nil {
		return err
	}
	answer := make([]byte, longestMessage)
	for {
		length, err := socket.Read(answer)
		if err != nil {
			return err
		}
		// An answer to what was given up before has another id.
		if length < headerBytes || binary.BigEndian.Uint16(answer) != id {
			continue
		}
		code := binary.BigEndian.Uint16(answer[2:]) & responseCodeMask
		if records := binary.BigEndian.Uint16(answer[6:]); code != 0 || records == 0 {
			return fmt.Errorf("%s: response code %d, %d records", q.name, code, records)
		}
		return nil
	}
}
