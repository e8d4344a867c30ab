package main

import (
	"flag"
	"fmt"
	"net"
	"time"
)

// streamFigures is what came of one stream.
type streamFigures struct {
	Target         string  `json:"target"`
	Bytes          int64   `json:"bytes"`
	Seconds        float64 `json:"seconds"`
	BytesPerSecond float64 `json:"bytesPerSecond"`
}

func runStream(flags *flag.FlagSet, arguments []string) error {
	targets := targetsFlag(flags)
	warmUp := flags.Duration("warm-up", 300*time.Millisecond, "how long to receive before what is measured, while windows grow")
	turns, duration := turnFlags(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	return takeTurns(*targets, *turns, func(target string) error {
		figures, err := measureStream(target, *warmUp, *duration)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		return print(figures)
	})
}

// measureStream counts where the stream arrives: what a sender has written may still lie
// in a buffer.
func measureStream(target string, warmUp, duration time.Duration) (streamFigures, error) {
	conn, err := dialer.Dial("tcp4", target)
	if err != nil {
		return streamFigures{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(warmUp + duration + answerLimit)); err != nil {
		return streamFigures{}, err
	}
	if _, _, err := receive(conn, warmUp); err != nil {
		return streamFigures{}, err
	}
	bytes, elapsed, err := receive(conn, duration)
	return streamFigures{
		Target: target,
		Bytes:  bytes, Seconds: elapsed.Seconds(), BytesPerSecond: float64(bytes) / elapsed.Seconds(),
	}, err
}

func receive(conn net.Conn, duration time.Duration) (bytes int64, elapsed time.Duration, err error) {
	chunk := make([]byte, chunkBytes)
	for began := time.Now(); elapsed < duration; elapsed = time.Since(began) {
		count, err := conn.Read(chunk)
		bytes += int64(count)
		if err != nil {
			return bytes, elapsed, err
		}
	}
	return bytes, elapsed, nil
}
