package publications

import (
	"net/netip"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"sandkube.dev/runtime/network/internal/services"
)

func TestParse(t *testing.T) {
	got, err := Parse("udp-5353", "default/names:dns")
	want := Publication{
		At:      services.NodeFrontend{Protocol: v1.ProtocolUDP, Port: 5353},
		Service: types.NamespacedName{Namespace: "default", Name: "names"},
		Port:    "dns",
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, entry := range [][2]string{
		{"8080", "a/b:c"}, {"sctp-8080", "a/b:c"}, {"tcp-0", "a/b:c"}, {"tcp-65536", "a/b:c"},
		{"tcp-80", "b:c"}, {"tcp-80", "a/b"}, {"tcp-80", "/b:c"}, {"tcp-80", "a/b:"},
	} {
		if got, err := Parse(entry[0], entry[1]); err == nil {
			t.Errorf("%v is read as %+v", entry, got)
		}
	}
}

func TestFrontends(t *testing.T) {
	web := types.NamespacedName{Namespace: "default", Name: "web"}
	http := &services.Port{Name: services.PortName{Service: web, Port: "http", Protocol: v1.ProtocolTCP}}
	nodePort := &services.Port{Name: services.PortName{Service: web, Port: "other", Protocol: v1.ProtocolTCP}}
	snapshot := &services.Snapshot{
		Cluster: map[services.Frontend]*services.Port{
			{Protocol: v1.ProtocolTCP, Address: netip.MustParseAddrPort("10.43.0.7:80")}: http,
		},
		Node: map[services.NodeFrontend]*services.Port{{Protocol: v1.ProtocolTCP, Port: 30080}: nodePort},
	}
	for _, test := range []struct {
		key, target string
		at          uint16
		want        *services.Port
	}{
		{"tcp-8080", "default/web:http", 8080, http},
		{"tcp-8080", "default/web:80", 8080, http},
		{"tcp-8080", "default/web:81", 8080, nil},
		{"tcp-8080", "other/web:80", 8080, nil},
		{"udp-8080", "default/web:80", 8080, nil},
		{"tcp-30080", "default/web:80", 30080, nodePort},
	} {
		publication, err := Parse(test.key, test.target)
		if err != nil {
			t.Fatal(err)
		}
		frontends := Frontends(snapshot, []Publication{publication})
		if got := frontends[services.NodeFrontend{Protocol: v1.ProtocolTCP, Port: test.at}]; got != test.want {
			t.Errorf("%s %s: %+v, want %+v", test.key, test.target, got, test.want)
		}
		if frontends[services.NodeFrontend{Protocol: v1.ProtocolTCP, Port: 30080}] != nodePort {
			t.Errorf("%s %s: the NodePort is taken away", test.key, test.target)
		}
	}
}
