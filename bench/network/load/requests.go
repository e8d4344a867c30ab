package main

import (
	"flag"
	"fmt"
	"sync"
	"time"
)

// requestFigures are those of the requests to one target in one turn.
type requestFigures struct {
	Target string `json:"target"`
	rate
}

func runRequests(flags *flag.FlagSet, arguments []string) error {
	targets := targetsFlag(flags)
	connections := flags.Int("connections", 1, "`number` of connections at once")
	turns, duration := turnFlags(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	all := map[string]busyConnections{}
	for _, target := range *targets {
		opened, err := openBusy(target, *connections)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		defer opened.close()
		all[target] = opened
	}
	return takeTurns(*targets, *turns, func(target string) error {
		figures, err := all[target].measure(*duration)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		return print(requestFigures{Target: target, rate: figures})
	})
}

// busyConnections are connections to one target that are all used at once.
type busyConnections []*connection

// openBusy connects, and sends a first request on each connection: neither is part of
// what is measured.
func openBusy(target string, connections int) (busyConnections, error) {
	var opened busyConnections
	for range connections {
		made, err := dial(target, "/")
		if err != nil {
			opened.close()
			return nil, err
		}
		opened = append(opened, made)
		if _, err := made.exchangeBy(time.Now().Add(answerLimit)); err != nil {
			opened.close()
			return nil, err
		}
	}
	return opened, nil
}

func (b busyConnections) close() {
	for _, connection := range b {
		connection.close()
	}
}

// measure keeps every connection busy with one request after the other.
func (b busyConnections) measure(duration time.Duration) (rate, error) {
	return measureWorkers(len(b), duration, func(worker int, until time.Time) (func() error, error) {
		// One deadline for all requests, since each change of it has a price.
		err := b[worker].conn.SetDeadline(until.Add(answerLimit))
		return func() error {
			_, err := b[worker].exchange()
			return err
		}, err
	})
}

// measureWorkers lets workers repeat an exchange, each its own, until time is up or it fails.
func measureWorkers(workers int, duration time.Duration, prepare func(worker int, until time.Time) (func() error, error)) (rate, error) {
	began := time.Now()
	until := began.Add(duration)
	exchanges := make([]func() error, workers)
	for worker := range exchanges {
		var err error
		if exchanges[worker], err = prepare(worker, until); err != nil {
			return rate{}, err
		}
	}
	var all recorder
	var running sync.WaitGroup
	for _, exchange := range exchanges {
		running.Go(func() {
			var took []time.Duration
			for now := time.Now(); now.Before(until); {
				if err := exchange(); err != nil {
					all.fail(err)
					break
				}
				next := time.Now()
				took = append(took, next.Sub(now))
				now = next
			}
			all.add(took...)
		})
	}
	running.Wait()
	return all.rate(time.Since(began)), nil
}
