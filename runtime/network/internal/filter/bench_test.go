package filter

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sort"
	"testing"
	"time"
)

// TestFigures measures the way between two pods: by the bridge alone, with the server
// filtered, and with both.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	inNode(t, 2, func(t *testing.T, node *node) {
		filter := node.open(t)
		client, server := node.pods[0], node.pods[1]
		measure(t, "bridge", client, server)
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1", "pod-0"))))
		measure(t, "server filtered", client, server)
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1", "pod-0"), egress("pod-0", "pod-1"))))
		measure(t, "both filtered", client, server)
		must(t, filter.Close(t.Context()))
	})
}

func measure(t *testing.T, way string, client, server *pod) {
	t.Helper()
	connection, err := client.dial("tcp4", server, patience)
	must(t, err)
	defer connection.Close()
	const rounds = 1000
	took := make([]time.Duration, rounds)
	for i := range took {
		start := time.Now()
		must(t, connection.say("0123456789", patience))
		took[i] = time.Since(start)
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	stream, err := client.dialPort("tcp4", server, sinkPort, patience)
	must(t, err)
	defer stream.Close()
	const size = 16 << 20
	start := time.Now()
	must(t, stream.SetDeadline(time.Now().Add(3*patience)))
	if _, err := io.CopyN(stream, zeroes{}, size); err != nil {
		t.Fatal(err)
	}
	must(t, stream.Conn.(*net.TCPConn).CloseWrite())
	if _, err := stream.reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	rate := float64(size) / time.Since(start).Seconds() / 1e6
	fmt.Printf("%-16s round trip p50 %v p99 %v; stream %.0f MB/s\n", way, took[rounds/2], took[rounds*99/100], rate)
}

type zeroes struct{}

func (zeroes) Read(buffer []byte) (int, error) { return len(buffer), nil }
