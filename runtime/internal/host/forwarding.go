package host

import (
	"fmt"
	"os"
	"strings"
)

// forwardingFile is IPv4 forwarding of the network namespace. In gVisor it always
// acts on the sandbox's first namespace (google/gvisor#1833).
const forwardingFile = "/proc/sys/net/ipv4/ip_forward"

const enabled = "1"

func enableForwarding(journal *journal, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("IPv4 forwarding: %w", err)
	}
	written := change{Kind: fileWritten, Target: path, Before: strings.TrimSpace(string(content))}
	if written.Before == enabled {
		_, err := journal.join(written)
		return err
	}
	if err := journal.note(written); err != nil {
		return err
	}
	return writeFile(path, enabled)
}

// restoreFile puts back what a file held, unless someone else has changed it since.
func restoreFile(path, before string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("put back %s: %w", path, err)
	}
	if strings.TrimSpace(string(content)) != enabled {
		return nil
	}
	return writeFile(path, before)
}

func writeFile(path, content string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteString(content); err != nil {
		return fmt.Errorf("write %q: %w", content, err)
	}
	return nil
}
