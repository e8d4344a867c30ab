package main

import (
	"flag"
	"sync"
	"time"
)

// soakFigures are the exchanges of a soak by their sort.
type soakFigures struct {
	ServiceRequests    rate `json:"serviceRequests"`
	ServiceConnections rate `json:"serviceConnections"`
	GatewayRequests    rate `json:"gatewayRequests"`
	GatewayConnections rate `json:"gatewayConnections"`
	Lookups            rate `json:"lookups"`
}

// Pauses between the exchanges of each sort: enough for tens of thousands in five minutes,
// and little enough that a sandbox with two processors is not at its limit.
const (
	requestPause    = 20 * time.Millisecond
	connectionPause = 50 * time.Millisecond
	lookupPause     = 20 * time.Millisecond
)

func runSoak(flags *flag.FlagSet, arguments []string) error {
	service := flags.String("service", "", "`HOST:PORT` of a Service")
	gateway := flags.String("gateway", "", "`HOST:PORT` of a server outside the pod network")
	name := flags.String("name", "kubernetes.default.svc.cluster.local.", "full `name` whose addresses are asked for")
	duration := flags.Duration("duration", 5*time.Minute, "how long")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	server, err := firstNameServer()
	if err != nil {
		return err
	}
	question, err := newQuestion(*name)
	if err != nil {
		return err
	}
	var figures soakFigures
	var running sync.WaitGroup
	steadily := func(result *rate, pause time.Duration, exchange func() error) {
		running.Go(func() { *result = repeat(*duration, pause, exchange) })
	}
	steadily(&figures.ServiceRequests, requestPause, keptOpen(*service))
	steadily(&figures.GatewayRequests, requestPause, keptOpen(*gateway))
	steadily(&figures.ServiceConnections, connectionPause, connecting(*service))
	steadily(&figures.GatewayConnections, connectionPause, connecting(*gateway))
	steadily(&figures.Lookups, lookupPause, func() error { return lookUp(server, question) })
	running.Wait()
	return print(figures)
}

// repeat runs an exchange with a pause after each until time is up.
func repeat(duration, pause time.Duration, exchange func() error) rate {
	var all recorder
	began := time.Now()
	for time.Since(began) < duration {
		all.measure(exchange)
		time.Sleep(pause)
	}
	return all.rate(time.Since(began))
}

// keptOpen sends a request on a connection that is made anew only after a failure.
func keptOpen(target string) func() error {
	var open *connection
	return func() (err error) {
		if open == nil {
			if open, err = dial(target, "/"); err != nil {
				return err
			}
		}
		if _, err = open.exchangeBy(time.Now().Add(answerLimit)); err != nil {
			open.close()
			open = nil
		}
		return err
	}
}

// connecting sends a request on a connection of its own.
func connecting(target string) func() error {
	return func() error {
		_, err := ask(target, "/")
		return err
	}
}
