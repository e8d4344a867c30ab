import type { Patch } from "./patch.js";

const reason =
  "Parts of the control plane look several times a second, or at much expense, for what nearly never " +
  "happens, and each look wakes the process up, which in a sandbox costs many times as much as on a " +
  "bare kernel. None of these periods can be set.";

const apiserver = "k8s.io/apiserver";
const policies = "pkg/admission/plugin/policy";

/** The patches that let an idle control plane look less often, or only when there is a reason. */
export const controlPlanePolls: readonly Patch[] = [
  {
    id: "no-execute-taints-period",
    module: "k8s.io/kubernetes",
    file: "pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go",
    edits: [
      {
        find: "\tNodeEvictionPeriod = 100 * time.Millisecond\n",
        replace: "\tNodeEvictionPeriod = time.Second\n",
      },
    ],
    reason:
      `${reason} The node lifecycle controller looks ten times a second for nodes that are to get a ` +
      "NoExecute taint. It adds at most one in ten seconds to a zone, of nodes that have not answered for " +
      "most of a minute.",
    upstream:
      "https://github.com/kubernetes/kubernetes/blob/v1.36.4/pkg/controller/nodelifecycle/node_lifecycle_controller.go#L485",
    removeWhen: "the controller is woken by a node in its queue, or the period can be set",
  },
  {
    id: "datastore-keepalive",
    module: apiserver,
    file: "pkg/storage/storagebackend/factory/etcd3.go",
    edits: [
      {
        find: "\tkeepaliveTime    = 30 * time.Second\n",
        replace: "\tkeepaliveTime    = 30 * time.Minute\n",
      },
    ],
    reason:
      `${reason} The API server has a connection to etcd for each kind of object and sends a ping over ` +
      "each every 30 seconds, to find out when the other end is gone. Here it is in the same process.",
    upstream:
      "https://github.com/kubernetes/apiserver/blob/v0.36.4/pkg/storage/storagebackend/factory/etcd3.go#L63",
    removeWhen: "the period can be set",
  },
  {
    id: "resource-sizes-period",
    module: apiserver,
    file: "pkg/storage/etcd3/stats.go",
    edits: [
      {
        find: "const sizerRefreshInterval = time.Minute\n",
        replace: "const sizerRefreshInterval = 10 * time.Minute\n",
      },
    ],
    reason:
      `${reason} For each kind of object the API server compares every minute which objects there are ` +
      "with those whose sizes it knows, to estimate what lists cost.",
    upstream: "https://github.com/kubernetes/apiserver/blob/v0.36.4/pkg/storage/etcd3/stats.go#L34",
    removeWhen: "the period can be set",
  },
  {
    id: "openapi-paths-on-demand",
    module: apiserver,
    file: `${policies}/mutating/patch/typeconverter.go`,
    edits: [
      {
        find: "\tlock sync.RWMutex\n",
        replace:
          "\tlock sync.RWMutex\n\n" +
          "\t// refreshing guards refreshed, the time of the last attempt to fetch the paths\n" +
          "\trefreshing sync.Mutex\n" +
          "\trefreshed  time.Time\n",
      },
      {
        find:
          "\t// Loop every 5s refershing the OpenAPI schema list to know which\n" +
          "\t// schemas have been invalidated. This should use e-tags under the hood\n" +
          "\t_ = wait.PollUntilContextCancel(ctx, 5*time.Second, true, func(_ context.Context) (done bool, err error) {\n",
        replace:
          "\t<-ctx.Done()\n}\n\n" +
          "// refresh fetches the OpenAPI schema list, to know which schemas have been invalidated,\n" +
          "// unless that was done less than 5s ago.\n" +
          "func (t *typeConverterManager) refresh() {\n" +
          "\tt.refreshing.Lock()\n\tdefer t.refreshing.Unlock()\n" +
          "\tif time.Since(t.refreshed) < 5*time.Second {\n\t\treturn\n\t}\n" +
          "\tt.refreshed = time.Now()\n" +
          "\t_, _ = func() (done bool, err error) {\n",
      },
      {
        find: "\t\tt.lastFetchedPaths = parsedPaths\n\t\treturn false, nil\n\t})\n",
        replace: "\t\tt.lastFetchedPaths = parsedPaths\n\t\treturn true, nil\n\t}()\n",
      },
      {
        find: '\t"k8s.io/apimachinery/pkg/util/wait"\n',
        replace: "",
      },
      {
        find: "\tgv := gvk.GroupVersion()\n\n\texisting, entry, err := func()",
        replace: "\tt.refresh()\n\tgv := gvk.GroupVersion()\n\n\texisting, entry, err := func()",
      },
    ],
    reason:
      `${reason} For MutatingAdmissionPolicies that apply configurations to custom resources the API ` +
      "server asks itself every five seconds for the list of all OpenAPI schemas, which it merges from " +
      "50 parts each time. Here it asks when such a policy is about to be applied, and again no sooner " +
      "than after five seconds: the policy never sees an older list than before.",
    upstream:
      "https://github.com/kubernetes/apiserver/blob/v0.36.4/pkg/admission/plugin/policy/mutating/patch/typeconverter.go#L80",
    removeWhen: "the list is fetched when it is needed",
  },
  {
    id: "policies-when-dirty",
    module: apiserver,
    file: `${policies}/generic/policy_source.go`,
    edits: [
      {
        find: "\tpoliciesDirty atomic.Bool\n",
        replace:
          "\tpoliciesDirty atomic.Bool\n" +
          "\t// dirtyc wakes the worker when the cache may have become dirty\n" +
          "\tdirtyc chan struct{}\n",
      },
      {
        find: "\ts.ctx = ctx\n",
        replace: "\ts.ctx = ctx\n\ts.dirtyc = make(chan struct{}, 1)\n",
      },
      {
        find: "\t\twait.Until(s.refreshPolicies, interval, ctx.Done())\n",
        replace:
          "\t\twait.Until(func() {\n" +
          "\t\t\tselect {\n\t\t\tcase <-s.dirtyc:\n\t\t\t\ts.refreshPolicies()\n\t\t\tcase <-ctx.Done():\n\t\t\t}\n" +
          "\t\t}, interval, ctx.Done())\n",
      },
      {
        find: "\ts.policiesDirty.Store(true)\n",
        replace:
          "\ts.policiesDirty.Store(true)\n" +
          "\tselect {\n\tcase s.dirtyc <- struct{}{}:\n\tdefault:\n\t}\n",
      },
    ],
    reason:
      `${reason} Admission policies of both kinds look every second whether they have changed. Here they ` +
      "are told so, and still look no more than once a second.",
    upstream:
      "https://github.com/kubernetes/apiserver/blob/v0.36.4/pkg/admission/plugin/policy/generic/policy_source.go#L188",
    removeWhen: "the worker sleeps until a policy changes",
  },
  {
    id: "leases-period",
    module: "go.etcd.io/etcd/server/v3",
    file: "lease/lessor.go",
    edits: [
      {
        find: "\tdelayTicker := time.NewTicker(500 * time.Millisecond)\n",
        replace: "\tdelayTicker := time.NewTicker(time.Second)\n",
      },
    ],
    reason:
      `${reason} etcd looks twice a second for leases that have ended. They are of events, which live an ` +
      "hour, and of the API server's own address.",
    upstream: "https://github.com/etcd-io/etcd/blob/v3.6.8/server/lease/lessor.go#L623",
    removeWhen: "etcd sleeps until the next lease ends",
  },
];
