// Command netload measures a network from inside a pod or a sandbox. Every verb but serve
// prints its figures on standard output, one JSON object a line; serve prints a line once it listens.
//
//	netload serve     answers HTTP requests, and sends streams
//	netload requests  sends HTTP requests on connections that stay open, as fast as answers come
//	netload stream    receives one stream
//	netload lookups   asks a name server, as fast as answers come
//	netload hold      opens many connections, and keeps them until standard input ends
//	netload watch     asks an address who answers, until standard input ends
//	netload soak      does a little of everything at a steady rate
//
// `netload VERB -help` lists the options of a verb.
package main

import (
	"flag"
	"fmt"
	"os"
)

// A verb parses its arguments and runs.
type verb func(flags *flag.FlagSet, arguments []string) error

func verbs() map[string]verb {
	return map[string]verb{
		"serve":    runServe,
		"requests": runRequests,
		"stream":   runStream,
		"lookups":  runLookups,
		"hold":     runHold,
		"watch":    runWatch,
		"soak":     runSoak,
	}
}

func main() {
	if len(os.Args) < 2 || verbs()[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: netload serve|requests|stream|lookups|hold|watch|soak [OPTIONS]")
		os.Exit(2)
	}
	name := os.Args[1]
	// With ExitOnError wrong options end the program with code 2.
	if err := verbs()[name](flag.NewFlagSet("netload "+name, flag.ExitOnError), os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "netload %s: %v\n", name, err)
		os.Exit(1)
	}
}
