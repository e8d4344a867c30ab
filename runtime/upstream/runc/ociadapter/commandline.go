package ociadapter

import "strings"

// commandLine is what the adapter must know of runc's arguments.
type commandLine struct {
	root      string
	log       string
	logFormat string
	verb      string
	// operands are the verb's arguments that are no options: the container's name first.
	operands []string
	// bundle is of `create` and `run`, process of `exec`, force of `delete`.
	bundle  string
	process string
	force   bool
}

// Options that take a value as an argument of its own, by runc(8), runc-create(8),
// runc-run(8) and runc-exec(8). Every other option of the verbs that matter here is a switch.
var (
	globalValueOptions    = map[string]bool{"log": true, "log-format": true, "root": true, "rootless": true, "criu": true}
	containerValueOptions = map[string]bool{"bundle": true, "b": true, "console-socket": true, "pidfd-socket": true, "pid-file": true, "preserve-fds": true, "process": true, "p": true}
)

// defaultRoot is runc's for root; without root runc asks for a runtime directory.
const defaultRoot = "/run/runc"

func parseCommandLine(arguments []string) commandLine {
	call := commandLine{root: defaultRoot, logFormat: "text", bundle: "."}
	rest := call.parseOptions(arguments, globalValueOptions, call.setGlobal)
	if len(rest) == 0 {
		return call
	}
	call.verb = rest[0]
	// runc accepts options after the container's name too.
	for rest = rest[1:]; len(rest) > 0; rest = rest[1:] {
		rest = call.parseOptions(rest, containerValueOptions, call.setForVerb)
		if len(rest) == 0 {
			break
		}
		call.operands = append(call.operands, rest[0])
	}
	return call
}

// parseOptions reads options up to the first argument that is none, and returns
// the arguments from there on. After "--" there are only operands.
func (c *commandLine) parseOptions(arguments []string, valueOptions map[string]bool, set func(name, value string)) []string {
	for len(arguments) > 0 {
		option := arguments[0]
		if option == "--" {
			c.operands = append(c.operands, arguments[1:]...)
			return nil
		}
		if len(option) < 2 || option[0] != '-' {
			return arguments
		}
		arguments = arguments[1:]
		name, value, joined := strings.Cut(strings.TrimPrefix(option[1:], "-"), "=")
		if !joined && valueOptions[name] {
			if len(arguments) == 0 {
				return nil
			}
			value, arguments = arguments[0], arguments[1:]
		}
		set(name, value)
	}
	return nil
}

func (c *commandLine) setGlobal(name, value string) {
	switch name {
	case "root":
		c.root = value
	case "log":
		c.log = value
	case "log-format":
		c.logFormat = value
	}
}

func (c *commandLine) setForVerb(name, value string) {
	switch name {
	case "bundle", "b":
		c.bundle = value
	case "process", "p":
		c.process = value
	case "force", "f":
		c.force = value == "" || value == "true"
	}
}

// startsContainer says whether the verb reads the spec of a bundle.
func (c *commandLine) startsContainer() bool {
	return c.verb == "create" || c.verb == "run"
}

// startsProcess says whether the verb reads the specification of a further process.
func (c *commandLine) startsProcess() bool {
	return c.verb == "exec" && c.process != ""
}
