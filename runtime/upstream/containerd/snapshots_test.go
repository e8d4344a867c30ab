package main

import (
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func TestForgetSnapshots(t *testing.T) {
	root := t.TempDir()
	args := []string{"--root", root, "--snapshotter", "overlayfs"}
	if err := forgetSnapshots(args); err != nil {
		t.Fatalf("without metadata: %v", err)
	}
	path := filepath.Join(root, "io.containerd.metadata.v1.bolt", "meta.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	within(t, path, func(tx *bolt.Tx) error {
		for _, names := range [][]string{
			{"v1", "k8s.io", "snapshots", "overlayfs", "sha256:1"},
			{"v1", "k8s.io", "snapshots", "native", "sha256:1"},
			{"v1", "k8s.io", "images", "hello"},
			{"v1", "other", "content"},
		} {
			bucket, err := tx.CreateBucketIfNotExists([]byte(names[0]))
			for _, name := range names[1:] {
				if err != nil {
					return err
				}
				bucket, err = bucket.CreateBucketIfNotExists([]byte(name))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := forgetSnapshots(args); err != nil {
		t.Fatal(err)
	}
	within(t, path, func(tx *bolt.Tx) error {
		namespace := tx.Bucket([]byte("v1")).Bucket([]byte("k8s.io"))
		snapshots := namespace.Bucket([]byte("snapshots"))
		if snapshots.Bucket([]byte("overlayfs")) != nil {
			t.Error("the snapshotter's records are still there")
		}
		if snapshots.Bucket([]byte("native")) == nil || namespace.Bucket([]byte("images")) == nil {
			t.Error("records of others are gone")
		}
		return nil
	})
}

func within(t *testing.T, path string, do func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(do); err != nil {
		t.Fatal(err)
	}
}
