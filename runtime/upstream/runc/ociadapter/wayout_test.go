package ociadapter

import (
	"strings"
	"testing"
)

func TestAddWayOut(t *testing.T) {
	settings := Settings{
		Environment: map[string]string{"HTTP_PROXY": "http://proxy.example", "SSL_CERT_FILE": caBundleInContainer},
		CABundle:    "/cluster/bundle.pem",
	}
	const mount = `{"destination":"/dev/sandkube-ca-bundle.pem","type":"bind","source":"/cluster/bundle.pem","options":["bind","ro","nosuid","nodev","noexec"]}`
	for name, test := range map[string]struct{ input, want string }{
		"a container": {
			input: `{"process":{"args":["a"],"env":["A=1"]},"mounts":[{"destination":"/dev","type":"tmpfs","future":1}]}`,
			want: `{"mounts":[{"destination":"/dev","type":"tmpfs","future":1},` + mount + `],` +
				`"process":{"args":["a"],"env":["A=1","HTTP_PROXY=http://proxy.example","SSL_CERT_FILE=/dev/sandkube-ca-bundle.pem"]}}`,
		},
		"what a container sets itself, in whichever case": {
			input: `{"process":{"env":["http_proxy=","SSL_CERT_FILE=/own"]}}`,
			want:  `{"mounts":[` + mount + `],"process":{"env":["http_proxy=","SSL_CERT_FILE=/own"]}}`,
		},
		"the container of a pod's namespaces": {
			input: `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"process":{}}`,
			want:  `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"process":{}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			once, err := editSpec([]byte(test.input), settings, surroundings{isDirectory: inTable})
			if err != nil {
				t.Fatal(err)
			}
			if string(once) != test.want {
				t.Errorf("got  %s\nwant %s", once, test.want)
			}
			twice, err := editSpec(once, settings, surroundings{isDirectory: inTable})
			if err != nil || string(twice) != string(once) {
				t.Errorf("edited again: %s, %v", twice, err)
			}
		})
	}
}

func TestAddWayOutNamesWhatItCanNotRead(t *testing.T) {
	settings := Settings{Environment: map[string]string{"A": "1"}, CABundle: "/b"}
	for input, want := range map[string]string{
		`{"annotations":[]}`:        "annotations",
		`{"process":[]}`:            "process",
		`{"process":{"env":{}}}`:    "process.env",
		`{"mounts":{}}`:             "mounts",
		`{"mounts":["/etc/hosts"]}`: "mounts[0]",
	} {
		if _, err := editSpec([]byte(input), settings, surroundings{isDirectory: inTable}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", input, err, want)
		}
	}
}
