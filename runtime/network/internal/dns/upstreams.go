package dns

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

const dnsPort = 53

// ReadResolvConf returns the addresses of the name servers in a file of the form of
// resolv.conf(5), in their order and each once, without those that are excluded. A file
// that names none gives none: the C library's default, a server at 127.0.0.1, is not
// assumed. Addresses in 127.0.0.0/8 stay, as the stub of systemd-resolved and Docker's
// server: they are asked from the sandbox's own network namespace. Lines that make no
// sense are skipped, as the C library does. Errors: the file can not be read.
func ReadResolvConf(path string, excluded ...netip.Addr) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's name servers: %w", err)
	}
	defer func() { _ = file.Close() }()

	var servers []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		address, err := netip.ParseAddr(fields[1])
		if err != nil || excludes(excluded, address) || slices.Contains(servers, address.String()) {
			continue
		}
		servers = append(servers, address.String())
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the sandbox's name servers from %s: %w", path, err)
	}
	return servers, nil
}

func excludes(excluded []netip.Addr, address netip.Addr) bool {
	return slices.ContainsFunc(excluded, func(other netip.Addr) bool {
		return other.Unmap() == address.Unmap()
	})
}

// parseUpstreams completes addresses of name servers with the port of DNS.
func parseUpstreams(servers []string) ([]string, error) {
	upstreams := make([]string, 0, len(servers))
	for _, server := range servers {
		if address, err := netip.ParseAddr(server); err == nil {
			upstreams = append(upstreams, netip.AddrPortFrom(address, dnsPort).String())
			continue
		}
		if _, err := netip.ParseAddrPort(server); err != nil {
			return nil, fmt.Errorf("name server %q: %w", server, err)
		}
		upstreams = append(upstreams, server)
	}
	return upstreams, nil
}

// rejectLoop returns ErrLoop when an upstream is an address that is served.
func rejectLoop(upstreams []string, served ...net.Addr) error {
	for _, address := range served {
		if slices.Contains(upstreams, address.String()) {
			return fmt.Errorf("name server %s: %w", address, ErrLoop)
		}
	}
	return nil
}
