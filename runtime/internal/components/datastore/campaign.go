package datastore

import (
	"context"
	"expvar"
	"fmt"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

const (
	campaignPoll  = 5 * time.Millisecond
	campaignLimit = time.Second
)

// campaign makes the only member the leader without waiting for an election timeout.
// MsgTimeoutNow is how raft asks a member to stand for election at once (Ongaro's
// dissertation, 3.10). It is ignored until the member has applied its own membership,
// so it is repeated. When the limit is over the member is elected by timeout.
func campaign(ctx context.Context, server *etcdserver.EtcdServer) error {
	member := uint64(server.MemberID())
	ticks := time.NewTicker(campaignPoll)
	defer ticks.Stop()
	limit := time.NewTimer(campaignLimit)
	defer limit.Stop()
	for server.Leader() == 0 {
		if logIsApplied() {
			err := server.Process(ctx, raftpb.Message{Type: raftpb.MsgTimeoutNow, From: member, To: member})
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("ask etcd to elect itself: %w", err)
			}
		}
		select {
		case <-ticks.C:
		case <-limit.C:
			return nil
		case <-server.StopNotify():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// logIsApplied says whether raft knows that all entries on record are applied. Before, a
// member that stands for election reads those that are not, to look for changes of the
// membership; etcd may have dropped the first of them by then, since it drops entries when
// it has applied them and tells raft later, and raft panics. Without a leader no entry is added.
//
// The process's only etcd publishes its raft status under this name.
func logIsApplied() bool {
	published, ok := expvar.Get("raft.status").(expvar.Func)
	if !ok {
		return false
	}
	status, ok := published.Value().(raft.Status)
	return ok && status.Applied >= status.Commit
}
