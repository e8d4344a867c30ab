package filter

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// names are those of the links of one pod bridge's filter. They follow from the names
// of the bridge and of the pod's link alone, so that the next process finds what an
// earlier one has left, and nothing of another cluster's. None has more than the 15
// bytes of IFNAMSIZ.
type names struct {
	tag string
	// services is the link of the Service proxy; empty without one.
	services string
}

const (
	bridgePrefix = "pb"
	portPrefix   = "pt"
	trunkPrefix  = "px"
	probePrefix  = "pp"
	// podLinkPrefix is that of the CNI plugin.
	podLinkPrefix = "veth"
	tagDigits     = 4
	podDigits     = 9
)

func newNames(bridge, services string) names {
	sum := sha256.Sum256([]byte(bridge))
	return names{tag: hex.EncodeToString(sum[:])[:tagDigits], services: services}
}

func (n names) trunk() string                { return trunkPrefix + n.tag }
func (n names) bridge(podLink string) string { return bridgePrefix + n.tag + podPart(podLink) }
func (n names) port(podLink string) string   { return portPrefix + n.tag + podPart(podLink) }
func (n names) probe(suffix string) string   { return probePrefix + n.tag + suffix }

// ours says whether a link of the annex was made, or moved there, by a filter.
func (n names) ours(name string) bool {
	for _, prefix := range []string{bridgePrefix + n.tag, portPrefix + n.tag, probePrefix + n.tag, podLinkPrefix} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == n.services
}

// podPart is what tells the links of pods apart.
func podPart(podLink string) string {
	sum := sha256.Sum256([]byte(podLink))
	return hex.EncodeToString(sum[:])[:podDigits]
}
