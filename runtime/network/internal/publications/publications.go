// Package publications knows which ports of Services are reached at which ports of the
// sandbox, because the user has asked for it.
package publications

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"sandkube.dev/runtime/network/internal/services"
)

// Publication is a port of a Service that is reached at a port of the sandbox.
type Publication struct {
	At      services.NodeFrontend
	Service types.NamespacedName
	// Port is the name or the number of the Service's port.
	Port string
}

// Parse reads an entry of the ConfigMap, such as "tcp-8080" and "default/web:http".
func Parse(key, target string) (Publication, error) {
	protocol, number, hasNumber := strings.Cut(key, "-")
	port, err := strconv.ParseUint(number, 10, 16)
	known := protocol == "tcp" || protocol == "udp"
	if !hasNumber || err != nil || port == 0 || !known {
		return Publication{}, fmt.Errorf("%q is not a protocol and a port, such as tcp-8080", key)
	}
	object, servicePort, hasPort := strings.Cut(target, ":")
	namespace, name, hasName := strings.Cut(object, "/")
	if !hasPort || !hasName || namespace == "" || name == "" || servicePort == "" {
		return Publication{}, fmt.Errorf("%q is not NAMESPACE/SERVICE:PORT", target)
	}
	return Publication{
		At:      services.NodeFrontend{Protocol: v1.Protocol(strings.ToUpper(protocol)), Port: uint16(port)},
		Service: types.NamespacedName{Namespace: namespace, Name: name},
		Port:    servicePort,
	}, nil
}

// parseAll reads the whole ConfigMap. An entry that can not be read is left out and told.
func parseAll(data map[string]string) ([]Publication, []error) {
	var found []Publication
	var problems []error
	for key, target := range data {
		publication, err := Parse(key, target)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found = append(found, publication)
	}
	slices.SortFunc(found, func(a, b Publication) int {
		return cmp.Or(cmp.Compare(a.At.Protocol, b.At.Protocol), cmp.Compare(a.At.Port, b.At.Port))
	})
	return found, problems
}

// Frontends returns a Snapshot's frontends on the node with those that are published. One
// whose Service is not there is left out; a NodePort is not taken away.
func Frontends(snapshot *services.Snapshot, published []Publication) map[services.NodeFrontend]*services.Port {
	frontends := make(map[services.NodeFrontend]*services.Port, len(snapshot.Node)+len(published))
	for _, publication := range published {
		if port := find(snapshot, publication); port != nil {
			frontends[publication.At] = port
		}
	}
	for frontend, port := range snapshot.Node {
		frontends[frontend] = port
	}
	return frontends
}

func find(snapshot *services.Snapshot, wanted Publication) *services.Port {
	for frontend, port := range snapshot.Cluster {
		if port.Name.Service != wanted.Service || frontend.Protocol != wanted.At.Protocol {
			continue
		}
		if wanted.Port == port.Name.Port || wanted.Port == strconv.Itoa(int(frontend.Address.Port())) {
			return port
		}
	}
	return nil
}
