package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lockLimit is how long the metadata's lock is waited for; a running containerd holds it.
const lockLimit = 5 * time.Second

// forgetSnapshots removes containerd's records of one snapshotter's snapshots.
//
// Snapshots that lie on a tmpfs are gone after the node has stopped, but the
// metadata still lists them, and containerd would then not unpack their images
// again. Images and content stay. The layout of the metadata is described in
// containerd's core/metadata/buckets.go: v1/<namespace>/snapshots/<snapshotter>.
func forgetSnapshots(args []string) error {
	flags := flag.NewFlagSet("forget-snapshots", flag.ContinueOnError)
	root := flags.String("root", "", "containerd's root `directory`")
	snapshotter := flags.String("snapshotter", "", "the snapshotter's `name`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *root == "" || *snapshotter == "" {
		return errors.New("takes --root and --snapshotter")
	}
	path := filepath.Join(*root, "io.containerd.metadata.v1.bolt", "meta.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockLimit})
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error { return deleteSnapshots(tx, []byte(*snapshotter)) })
	return errors.Join(err, db.Close())
}

func deleteSnapshots(tx *bolt.Tx, snapshotter []byte) error {
	version := tx.Bucket([]byte("v1"))
	if version == nil {
		return nil
	}
	return version.ForEachBucket(func(namespace []byte) error {
		snapshots := version.Bucket(namespace).Bucket([]byte("snapshots"))
		if snapshots == nil || snapshots.Bucket(snapshotter) == nil {
			return nil
		}
		if err := snapshots.DeleteBucket(snapshotter); err != nil {
			return fmt.Errorf("forget the snapshots of namespace %s: %w", namespace, err)
		}
		return nil
	})
}
