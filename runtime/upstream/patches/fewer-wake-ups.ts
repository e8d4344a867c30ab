import type { Patch } from "./patch.js";

const reason =
  "Each time a sleeping process wakes up costs many times as much in a sandbox as on a bare kernel. " +
  "Of the control plane's 360 timers a second, with nothing to do, 180 belong to metrics of work " +
  "queues and 50 to bookmarks of watch caches; neither period can be set.";

/** The patches that keep an idle control plane and kubelet asleep. */
export const fewerWakeUps: readonly Patch[] = [
  {
    id: "workqueue-metrics-period",
    module: "k8s.io/client-go",
    file: "util/workqueue/queue.go",
    edits: [
      {
        find: "const defaultUnfinishedWorkUpdatePeriod = 500 * time.Millisecond",
        replace: "const defaultUnfinishedWorkUpdatePeriod = 15 * time.Second",
      },
      {
        find: "\tt := q.clock.NewTicker(q.unfinishedWorkUpdatePeriod)\n",
        replace:
          "\tperiod := q.unfinishedWorkUpdatePeriod\n" +
          "\tselect {\n" +
          "\tcase <-q.clock.After(time.Until(time.Now().Truncate(period).Add(period))):\n" +
          "\tcase <-q.stopCh:\n\t\treturn\n\t}\n" +
          "\tt := q.clock.NewTicker(period)\n",
      },
    ],
    reason:
      `${reason} Each of the 100 named queues refreshes two gauges twice a second; nobody reads ` +
      "metrics more often than every 15 seconds. All queues do so at the same moment.",
    upstream: "https://github.com/kubernetes/client-go/blob/v0.36.4/util/workqueue/queue.go#L187",
    removeWhen: "the gauges are computed when they are read, or the period can be set",
  },
  {
    id: "workqueue-heartbeat",
    module: "k8s.io/client-go",
    file: "util/workqueue/delaying_queue.go",
    edits: [
      {
        find: "const maxWait = 10 * time.Second",
        replace: "const maxWait = time.Minute",
      },
    ],
    reason:
      `${reason} Each queue has a timer for the next item that is due and, as its author says, ` +
      "another one as insurance against weird things, every ten seconds.",
    upstream:
      "https://github.com/kubernetes/client-go/blob/v0.36.4/util/workqueue/delaying_queue.go#L273",
    removeWhen: "the insurance is gone, or its period can be set",
  },
  {
    id: "watch-cache-bookmarks-together",
    module: "k8s.io/apiserver",
    file: "pkg/storage/cacher/cacher.go",
    edits: [
      {
        find: "bookmarkTimer := c.clock.NewTimer(wait.Jitter(time.Second, 0.25))",
        replace:
          "untilNextSecond := func() time.Duration { return time.Second - time.Duration(c.clock.Now().Nanosecond()) }\n" +
          "\tbookmarkTimer := c.clock.NewTimer(untilNextSecond())",
      },
      {
        find: "bookmarkTimer.Reset(wait.Jitter(time.Second, 0.25))",
        replace: "bookmarkTimer.Reset(untilNextSecond())",
      },
    ],
    reason:
      `${reason} Every watch cache looks once a second, at a moment of its own, for watches that ` +
      "want a bookmark. Here all look at once, at the full second: one wake-up, and bookmarks as often " +
      "as before.",
    upstream:
      "https://github.com/kubernetes/apiserver/blob/v0.36.4/pkg/storage/cacher/cacher.go#L886",
    removeWhen: "a watch cache sleeps while none of its watches waits for a bookmark",
  },
  {
    id: "watchers-in-sync",
    module: "go.etcd.io/etcd/server/v3",
    file: "storage/mvcc/watchable_store.go",
    edits: [
      {
        find: "\tunsynced watcherGroup\n",
        replace:
          "\tunsynced watcherGroup\n" +
          "\t// unsyncedc wakes syncWatchersLoop when there may be unsynced watchers again\n" +
          "\tunsyncedc chan struct{}\n",
      },
      {
        find: "\t\tunsynced: newWatcherGroup(),\n",
        replace: "\t\tunsynced: newWatcherGroup(),\n\t\tunsyncedc: make(chan struct{}, 1),\n",
      },
      {
        find: "\t\tslowWatcherGauge.Inc()\n\t\ts.unsynced.add(wa)\n",
        replace: "\t\tslowWatcherGauge.Inc()\n\t\ts.unsynced.add(wa)\n\t\ts.wakeSync()\n",
      },
      {
        find: "\t\t\t\ts.unsynced.add(w)\n",
        replace: "\t\t\t\ts.unsynced.add(w)\n\t\t\t\ts.wakeSync()\n",
      },
      {
        find: "\t\ts.unsynced.add(wa)\n\t}\n\ts.synced = newWatcherGroup()\n",
        replace: "\t\ts.unsynced.add(wa)\n\t}\n\ts.wakeSync()\n\ts.synced = newWatcherGroup()\n",
      },
      {
        find: "\t\tselect {\n\t\tcase <-delayTicker.C:\n",
        replace:
          "\t\tif lastUnsyncedWatchers == 0 {\n\t\t\tdelayTicker.Stop()\n\t\t}\n" +
          "\t\tselect {\n\t\tcase <-s.unsyncedc:\n\t\tcase <-delayTicker.C:\n",
      },
      {
        find: "func (s *watchableStore) addVictim(",
        replace:
          "func (s *watchableStore) wakeSync() {\n" +
          "\tselect {\n\tcase s.unsyncedc <- struct{}{}:\n\tdefault:\n\t}\n}\n\n" +
          "func (s *watchableStore) addVictim(",
      },
    ],
    reason:
      `${reason} etcd looks ten times a second for watchers that have missed events, of which there ` +
      "are nearly never any. Here it sleeps until there is one, and then sends its events at once.",
    upstream:
      "https://github.com/etcd-io/etcd/blob/v3.6.8/server/storage/mvcc/watchable_store.go#L223",
    removeWhen: "etcd sleeps while all watchers are in sync",
  },
];
