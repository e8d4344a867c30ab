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
    ],
    reason:
      `${reason} Each of the 100 named queues refreshes two gauges twice a second; nobody reads ` +
      "metrics more often than every 15 seconds.",
    upstream: "https://github.com/kubernetes/client-go/blob/v0.36.4/util/workqueue/queue.go#L187",
    removeWhen: "the gauges are computed when they are read, or the period can be set",
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
];
