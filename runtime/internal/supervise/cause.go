package supervise

import (
	"regexp"
	"slices"
	"strings"
)

// Cause is what ended a process, as far as its output tells. Service is empty when
// no component can be named.
type Cause struct {
	Service string
	Message string
}

var (
	// klogLine is the header of klog's text format: severity, date, time, thread, source.
	klogLine = regexp.MustCompile(`^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^ \]]+:\d+\] `)
	// logrusFields are those in which containerd and runc hold their message.
	logrusFields = regexp.MustCompile(`\bmsg=("(?:[^"\\]|\\.)*"|\S+)(?: error=("(?:[^"\\]|\\.)*"|\S+))?`)
	// recovered ends the first line of a panic that was raised again.
	recovered = regexp.MustCompile(` \[recovered(, repanicked)?\]$`)
)

// startsCrash says whether a line is the first of a report that the Go runtime or
// klog writes before it ends the process.
func startsCrash(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || isKlogFatal(line)
}

func isKlogFatal(line string) bool {
	return strings.HasPrefix(line, "F") && klogLine.MatchString(line)
}

// endsInPanic says whether a report is of the Go runtime, which nothing outlives.
func endsInPanic(crash []string) bool {
	return len(crash) > 0 && !isKlogFatal(crash[0])
}

// findCause names what ended a process from its last lines and its crash report.
func findCause(last, crash []string) Cause {
	if len(crash) == 0 {
		return Cause{Message: lastMessage(last)}
	}
	message := recovered.ReplaceAllString(crash[0], "")
	if isKlogFatal(message) {
		message = klogLine.ReplaceAllString(message, "")
	}
	return Cause{Service: serviceOf(crash[1:]), Message: message}
}

// lastMessage is the last line that says something, without its logger's header.
func lastMessage(lines []string) string {
	for _, line := range slices.Backward(lines) {
		line = klogLine.ReplaceAllString(strings.TrimSpace(line), "")
		if fields := logrusFields.FindStringSubmatch(line); fields != nil {
			line = strings.Trim(fields[1], `"`)
			if fields[2] != "" {
				line += ": " + strings.Trim(fields[2], `"`)
			}
		}
		if line != "" {
			return line
		}
	}
	return ""
}
