package datastore

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"sandkube.dev/runtime/internal/nodespec"
)

// startLimit is how long a store may take until it serves.
const startLimit = 30 * time.Second

// start runs a store in a directory until stop is called.
func start(t *testing.T, directory string) (client *clientv3.Client, stop func()) {
	t.Helper()
	store := New(&nodespec.NodeSpec{Cluster: nodespec.Cluster{Name: "test", Directory: directory}})
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- store.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the store ends before it serves: %v", err)
	case <-time.After(startLimit):
		t.Fatal("the store does not serve")
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{store.Endpoint()},
		Context:   ctx,
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return store.Dial(ctx, "", address)
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, func() {
		_ = client.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the store ends with %v", err)
		}
	}
}

// etcd forgets the beginning of its log when it has applied more than a hundred entries at
// once, which raft may not yet know of: a member that stands for election then panics.
func TestStoreWithALongLogStartsAgain(t *testing.T) {
	directory := t.TempDir()
	client, stop := start(t, directory)
	const keys = 300
	for i := range keys {
		if _, err := client.Put(t.Context(), fmt.Sprintf("/key/%d", i), "value"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	for range 5 {
		client, stop := start(t, directory)
		answer, err := client.Get(t.Context(), "/key/", clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err != nil {
			t.Fatal(err)
		}
		if answer.Count != keys {
			t.Errorf("%d keys, want %d", answer.Count, keys)
		}
		stop()
	}
}
