package ociadapter

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseCommandLine(t *testing.T) {
	tests := map[string]commandLine{
		"--root /r --log /l --log-format json create --bundle /b --pid-file /p --no-new-keyring id": {
			root: "/r", log: "/l", logFormat: "json", verb: "create", bundle: "/b", operands: []string{"id"},
		},
		"--log=/l run -b /b -d id":            {log: "/l", verb: "run", bundle: "/b", operands: []string{"id"}},
		"-log /l create --bundle=/b id":       {log: "/l", verb: "create", bundle: "/b", operands: []string{"id"}},
		"create id --bundle /b":               {verb: "create", bundle: "/b", operands: []string{"id"}},
		"--systemd-cgroup create id":          {verb: "create", operands: []string{"id"}},
		"create --console-socket --bundle id": {verb: "create", operands: []string{"id"}},
		"create -- --bundle":                  {verb: "create", operands: []string{"--bundle"}},
		"--debug delete --force id":           {verb: "delete", force: true, operands: []string{"id"}},
		"delete id -f":                        {verb: "delete", force: true, operands: []string{"id"}},
		"delete --force=false id":             {verb: "delete", operands: []string{"id"}},
		"kill --all id 9":                     {verb: "kill", operands: []string{"id", "9"}},
		"exec --process /p id":                {verb: "exec", process: "/p", operands: []string{"id"}},
		"--version":                           {},
		"--log":                               {},
		"":                                    {},
	}
	for text, want := range tests {
		for _, field := range []struct {
			value   *string
			ifEmpty string
		}{{&want.root, defaultRoot}, {&want.logFormat, "text"}, {&want.bundle, "."}} {
			if *field.value == "" {
				*field.value = field.ifEmpty
			}
		}
		if got := parseCommandLine(strings.Fields(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestWhichKillEndsAContainer(t *testing.T) {
	for text, want := range map[string]bool{
		"kill --all id 9": true, "kill id KILL": true, "kill id SIGKILL": true, "kill id sigkill": true,
		"kill id TERM": false, "kill id 15": false, "kill id": false, "delete id 9": false,
	} {
		call := parseCommandLine(strings.Fields(text))
		if got := call.killsContainer(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
