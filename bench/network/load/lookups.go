package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func runLookups(flags *flag.FlagSet, arguments []string) error {
	name := flags.String("name", "kubernetes.default.svc.cluster.local.", "full `name` whose addresses are asked for")
	server := flags.String("server", "", "`HOST:PORT` of the name server (default: port 53 of the first one in /etc/resolv.conf)")
	parallel := flags.Int("parallel", 1, "`number` of questions at once")
	turns, duration := turnFlags(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *server == "" {
		found, err := firstNameServer()
		if err != nil {
			return err
		}
		*server = found
	}
	return takeTurns([]string{*server}, *turns, func(server string) error {
		figures, err := measureLookups(server, *name, *parallel, *duration)
		if err != nil {
			return err
		}
		return print(figures)
	})
}

// measureLookups lets every worker ask on a socket of its own.
func measureLookups(server, name string, parallel int, duration time.Duration) (rate, error) {
	question, err := newQuestion(name)
	if err != nil {
		return rate{}, err
	}
	sockets := make([]net.Conn, parallel)
	for index := range sockets {
		socket, err := net.Dial("udp4", server)
		if err != nil {
			return rate{}, err
		}
		defer socket.Close()
		sockets[index] = socket
	}
	return measureWorkers(parallel, duration, func(worker int, until time.Time) (func() error, error) {
		err := sockets[worker].SetDeadline(until.Add(answerLimit))
		return func() error { return question.ask(sockets[worker]) }, err
	})
}

// lookUp asks one question on a socket of its own, as resolvers do.
func lookUp(server string, question question) error {
	socket, err := net.Dial("udp4", server)
	if err != nil {
		return err
	}
	defer socket.Close()
	if err := socket.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return err
	}
	return question.ask(socket)
}

// firstNameServer returns HOST:PORT of the name server that resolvers ask first.
func firstNameServer() (string, error) {
	file, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "nameserver" {
			return net.JoinHostPort(fields[1], "53"), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("%s names no name server", file.Name())
}
