package main

import (
	"flag"
	"io"
	"os"
	"sync"
	"time"
)

// held is what one exchange on each of many open connections came to.
type held struct {
	// Open is how many connections there are.
	Open int `json:"open"`
	rate
}

func runHold(flags *flag.FlagSet, arguments []string) error {
	target := flags.String("target", "", "`HOST:PORT` of the server")
	connections := flags.Int("connections", 2000, "`number` of connections")
	parallel := flags.Int("parallel", 32, "`number` of connections that are opened or used at once")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	opened, figures := openAll(*target, *connections, *parallel)
	if err := print(held{Open: len(opened), rate: figures}); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return print(held{Open: len(opened), rate: useAll(opened, *parallel)})
}

// openAll opens connections that each carry one request at once, and keeps those that
// succeed.
func openAll(target string, connections, parallel int) ([]*connection, rate) {
	var lock sync.Mutex
	var opened []*connection
	figures := measureEach(connections, parallel, func(int) error {
		made, err := dial(target, "/")
		if err != nil {
			return err
		}
		if _, err := made.exchangeBy(time.Now().Add(answerLimit)); err != nil {
			made.close()
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		opened = append(opened, made)
		return nil
	})
	return opened, figures
}

// useAll sends one request on each connection.
func useAll(opened []*connection, parallel int) rate {
	return measureEach(len(opened), parallel, func(index int) error {
		_, err := opened[index].exchangeBy(time.Now().Add(answerLimit))
		return err
	})
}

// measureEach runs an exchange once for each index.
func measureEach(count, parallel int, exchange func(index int) error) rate {
	began := time.Now()
	indices := make(chan int)
	var all recorder
	var running sync.WaitGroup
	for range parallel {
		running.Go(func() {
			for index := range indices {
				all.measure(func() error { return exchange(index) })
			}
		})
	}
	for index := range count {
		indices <- index
	}
	close(indices)
	running.Wait()
	return all.rate(time.Since(began))
}
