// Command nettools is what the test image talks to the network with, by the name that it is
// started as. The applets of a static busybox can not resolve names without a C library.
//
//	fetch URL [ACCOUNT]     prints the body of the answer to an HTTP GET, which it sends as the
//	                        ServiceAccount whose token and CA bundle lie in a directory
//	resolve TYPE NAME       prints the A, SRV, PTR, CNAME or TXT records of a name, sorted
//	connect HOST:PORT       opens a TCP connection, and prints from which address
//	ask-udp HOST:PORT TEXT  prints the answer to a datagram
//	echo-request ADDRESS    sends an ICMP echo request from an unprivileged socket, and prints
//	                        the address that replies
//	count HOST:PORT         counts the bytes that a server sends until it ends the connection
//	answer-bulk PORT BYTES  sends so many bytes to each client
//	answer-udp PORT         answers each datagram with its sender's address and its text
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const limit = 10 * time.Second

type tool struct {
	// fewest and most say how many arguments it takes.
	fewest, most int
	run          func(arguments []string, out io.Writer) error
}

func tools() map[string]tool {
	return map[string]tool{
		"fetch":        {1, 2, func(a []string, out io.Writer) error { return fetch(a[0], a[1:], out) }},
		"resolve":      {2, 2, func(a []string, out io.Writer) error { return resolve(a[0], a[1], out) }},
		"connect":      {1, 1, func(a []string, out io.Writer) error { return connect(a[0], out) }},
		"ask-udp":      {2, 2, func(a []string, out io.Writer) error { return askUDP(a[0], a[1], out) }},
		"echo-request": {1, 1, func(a []string, out io.Writer) error { return echo(a[0], out) }},
		"count":        {1, 1, func(a []string, out io.Writer) error { return count(a[0], out) }},
		"answer-bulk":  {2, 2, func(a []string, _ io.Writer) error { return answerBulk(a[0], a[1]) }},
		"answer-udp":   {1, 1, func(a []string, _ io.Writer) error { return answerUDP(a[0]) }},
	}
}

func main() {
	name, arguments := filepath.Base(os.Args[0]), os.Args[1:]
	chosen, found := tools()[name]
	if !found || len(arguments) < chosen.fewest || len(arguments) > chosen.most {
		fmt.Fprintf(os.Stderr, "%s: no such tool, or wrong arguments: %q\n", name, arguments)
		os.Exit(2)
	}
	if err := chosen.run(arguments, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func fetch(url string, account []string, out io.Writer) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: limit}
	if len(account) > 0 {
		if client.Transport, err = identify(request, account[0]); err != nil {
			return err
		}
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	_, err = io.Copy(out, response.Body)
	return err
}

// identify gives a request the token of a ServiceAccount, and returns a transport that
// trusts the account's CA bundle alone.
func identify(request *http.Request, directory string) (http.RoundTripper, error) {
	token, err := os.ReadFile(filepath.Join(directory, "token"))
	if err != nil {
		return nil, err
	}
	bundle, err := os.ReadFile(filepath.Join(directory, "ca.crt"))
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("%s has no certificate in ca.crt", directory)
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}, nil
}

func resolve(kind, name string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	records, err := lookUp(ctx, kind, name)
	if err != nil {
		return err
	}
	slices.Sort(records)
	_, err = fmt.Fprintln(out, strings.Join(records, "\n"))
	return err
}

func lookUp(ctx context.Context, kind, name string) (records []string, err error) {
	resolver := net.Resolver{PreferGo: true}
	switch kind {
	case "A":
		return resolver.LookupHost(ctx, name)
	case "TXT":
		return resolver.LookupTXT(ctx, name)
	case "PTR":
		return resolver.LookupAddr(ctx, name)
	case "CNAME":
		target, err := resolver.LookupCNAME(ctx, name)
		return []string{target}, err
	case "SRV":
		_, services, err := resolver.LookupSRV(ctx, "", "", name)
		for _, service := range services {
			records = append(records, fmt.Sprintf("%s:%d", service.Target, service.Port))
		}
		return records, err
	}
	return nil, fmt.Errorf("records of type %s are not looked up", kind)
}

func connect(address string, out io.Writer) error {
	connection, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = fmt.Fprintln(out, connection.LocalAddr())
	return err
}

func askUDP(address, text string, out io.Writer) error {
	connection, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := io.WriteString(connection, text); err != nil {
		return err
	}
	answer := make([]byte, 64*1024)
	length, err := connection.Read(answer)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", answer[:length])
	return err
}

func answerUDP(port string) error {
	connection, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		return err
	}
	defer connection.Close()
	text := make([]byte, 64*1024)
	for {
		length, sender, err := connection.ReadFrom(text)
		if err != nil {
			return err
		}
		answer := fmt.Sprintf("%s said %s", sender, text[:length])
		if _, err := connection.WriteTo([]byte(answer), sender); err != nil {
			return err
		}
	}
}
