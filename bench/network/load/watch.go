package main

import (
	"flag"
	"io"
	"os"
	"time"
)

// sighting is the first of equal answers in a row.
type sighting struct {
	// AtUnixMilliseconds is when the answer was there.
	AtUnixMilliseconds float64 `json:"atUnixMilliseconds"`
	// Answer is the server's name; empty when there was no answer.
	Answer string `json:"answer"`
	// Failure says why there was no answer.
	Failure string `json:"failure"`
}

func runWatch(flags *flag.FlagSet, arguments []string) error {
	target := flags.String("target", "", "`HOST:PORT` of the server")
	interval := flags.Duration("interval", 5*time.Millisecond, "pause between an answer and the next request")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return watch(*target, *interval, ended, func(seen sighting) error { return print(seen) })
}

// watch asks again and again who answers, on a new connection each time, and tells changes.
func watch(target string, interval time.Duration, ended <-chan struct{}, tell func(sighting) error) error {
	for last := (sighting{AtUnixMilliseconds: -1}); ; {
		seen := look(target)
		isNew := last.AtUnixMilliseconds < 0 || seen.Answer != last.Answer || seen.Failure != last.Failure
		if isNew {
			if err := tell(seen); err != nil {
				return err
			}
			last = seen
		}
		select {
		case <-ended:
			return nil
		case <-time.After(interval):
		}
	}
}

func look(target string) sighting {
	answer, err := ask(target, "/name")
	seen := sighting{AtUnixMilliseconds: float64(time.Now().UnixMicro()) / 1e3, Answer: string(answer)}
	if err != nil {
		seen.Answer, seen.Failure = "", err.Error()
	}
	return seen
}
