package main

import (
	"strings"
	"testing"

	"sandkube.dev/runtime/internal/nodespec"
)

func TestRoleEnvironment(t *testing.T) {
	spec := &nodespec.NodeSpec{Programs: "/programs", Cluster: nodespec.Cluster{Directory: "/data"}}
	spec.Egress.Environment = map[string]string{"HTTPS_PROXY": "http://proxy.example:3128"}
	tests := []struct {
		name      string
		inherited []string
		want      string
	}{
		{"no PATH", []string{"A=1"}, "A=1 HTTPS_PROXY=http://proxy.example:3128 PATH=/programs:/data/node/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{"a PATH of the user's", []string{"PATH=/opt/bin::/bin", "A=1"}, "A=1 HTTPS_PROXY=http://proxy.example:3128 PATH=/programs:/data/node/bin:/opt/bin:/bin:/usr/sbin:/usr/bin:/sbin"},
		{"other proxies", []string{"http_proxy=http://old.example", "NO_PROXY=*", "SSL_CERT_FILE=/old", "A=1"}, "A=1 HTTPS_PROXY=http://proxy.example:3128 PATH=/programs:/data/node/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(roleEnvironment(spec, test.inherited, "/data/node/bin"), " "); got != test.want {
				t.Errorf("environment is %s, want %s", got, test.want)
			}
		})
	}
}
