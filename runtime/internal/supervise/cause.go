package supervise

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
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

// lastMessage is the last line that says something, without its logger's format.
func lastMessage(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if message := plainMessage(strings.TrimSpace(line)); message != "" {
			return message
		}
	}
	return ""
}

// plainMessage is the message in a line of klog, logrus (containerd) or zap (etcd).
func plainMessage(line string) string {
	var zap struct{ Msg, Error string }
	if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &zap) == nil && zap.Msg != "" {
		return joined(zap.Msg, zap.Error)
	}
	if fields := logrusFields.FindStringSubmatch(line); fields != nil {
		return joined(unquoted(fields[1]), unquoted(fields[2]))
	}
	return klogLine.ReplaceAllString(line, "")
}

func unquoted(field string) string {
	if text, err := strconv.Unquote(field); err == nil {
		return text
	}
	return field
}

func joined(message, reason string) string {
	if reason == "" {
		return message
	}
	return message + ": " + reason
}
