package dns

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadResolvConf(t *testing.T) {
	excluded := netip.MustParseAddr("10.43.0.10")
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"two", "search example.org\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions ndots:2\n",
			[]string{"192.0.2.1", "192.0.2.2"}},
		{"no newline at the end", "nameserver 192.0.2.1", []string{"192.0.2.1"}},
		{"tabs and remarks", "# nameserver 192.0.2.9\n;nameserver 192.0.2.8\n\tnameserver\t192.0.2.1 # here\n",
			[]string{"192.0.2.1"}},
		{"stubs at loopback addresses", "nameserver 127.0.0.53\nnameserver 127.0.0.11\n",
			[]string{"127.0.0.53", "127.0.0.11"}},
		{"itself", "nameserver 10.43.0.10\nnameserver 192.0.2.1\n", []string{"192.0.2.1"}},
		{"itself, mapped", "nameserver ::ffff:10.43.0.10\n", nil},
		{"twice the same", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", []string{"192.0.2.1"}},
		{"IPv6", "nameserver 2001:db8::1\nnameserver fe80::1%eth0\n", []string{"2001:db8::1", "fe80::1%eth0"}},
		{"no address", "nameserver\nnameserver dns.example\nnameserver 192.0.2.1\n", []string{"192.0.2.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "resolv.conf")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := ReadResolvConf(path, excluded)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
	if _, err := ReadResolvConf(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}

func TestParseUpstreams(t *testing.T) {
	got, err := parseUpstreams([]string{"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353", "fe80::1%eth0"})
	want := []string{"192.0.2.1:53", "192.0.2.1:5353", "[2001:db8::1]:53", "[2001:db8::1]:5353", "[fe80::1%eth0]:53"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
