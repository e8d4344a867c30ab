package pki

import (
	"encoding/base64"
	"os"
	"regexp"
	"testing"
	"time"
)

func TestKubeconfig(t *testing.T) {
	for bind, server := range map[string]string{
		"127.0.0.1": "https://127.0.0.1:6443",
		"0.0.0.0":   "https://127.0.0.1:6443",
		"::":        "https://127.0.0.1:6443",
		"::1":       "https://[::1]:6443",
		"192.0.2.7": "https://192.0.2.7:6443",
	} {
		t.Run(bind, func(t *testing.T) {
			spec := testSpec(t)
			spec.ControlPlane.BindAddress = bind
			ensure(t, spec, time.Now())
			content, err := os.ReadFile(spec.AdminKubeconfig())
			if err != nil {
				t.Fatal(err)
			}
			field := func(name string) string {
				found := regexp.MustCompile(`(?m)^\s*` + name + `: (\S+)$`).FindSubmatch(content)
				if found == nil {
					t.Fatalf("no field %s in\n%s", name, content)
				}
				return string(found[1])
			}
			if field("server") != server || field("current-context") != "sandkube-default" {
				t.Errorf("server is %s, context %s", field("server"), field("current-context"))
			}
			for name, file := range map[string]string{
				"certificate-authority-data": "ca.crt",
				"client-certificate-data":    "admin.crt",
				"client-key-data":            "admin.key",
			} {
				decoded, err := base64.StdEncoding.DecodeString(field(name))
				if err != nil {
					t.Fatal(err)
				}
				if want, err := os.ReadFile(spec.PKI(file)); err != nil || string(decoded) != string(want) {
					t.Errorf("%s is not the content of %s (%v)", name, file, err)
				}
			}
		})
	}
}
