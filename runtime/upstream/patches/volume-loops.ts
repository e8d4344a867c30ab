import type { Patch } from "./patch.js";

const module = "k8s.io/kubernetes";
const directory = "pkg/kubelet/volumemanager";

const reason =
  "The kubelet's volume manager has two loops that look at all volumes of all pods ten times a second " +
  "each, which is nearly half of what wakes an idle node up. Here they look once a second while " +
  "nobody waits for a volume. A pod that starts or ends does wait: its call wakes both loops, which " +
  "then keep upstream's pace. How often a starting pod asks whether its volumes are there is 100 ms, " +
  "the pace of the loops, in place of 300 ms.";

const upstream =
  "https://github.com/kubernetes/kubernetes/blob/v1.36.4/pkg/kubelet/volumemanager/volume_manager.go#L58";

const removeWhen = "the volume manager's loops are woken by what they wait for";

/** The patches that let the kubelet's volume manager rest while no pod waits for a volume. */
export const volumeLoops: readonly Patch[] = [
  {
    id: "volume-demand",
    module,
    file: `${directory}/cache/desired_state_of_world.go`,
    edits: [
      {
        find: "type DesiredStateOfWorld interface {\n",
        replace:
          "type DesiredStateOfWorld interface {\n" +
          "\t// Want says that the caller waits for volumes until it calls the returned function.\n" +
          "\tWant() func()\n\n" +
          "\t// Rest blocks while nobody waits for volumes, for a second at most.\n" +
          "\tRest(stop <-chan struct{})\n\n",
      },
      {
        find: "\treturn &desiredStateOfWorld{\n",
        replace:
          "\treturn &desiredStateOfWorld{\n\t\tdemand: demand{wanted: make(chan struct{})},\n",
      },
      {
        find: "type desiredStateOfWorld struct {\n",
        replace:
          "// demand counts who waits for volumes.\n" +
          "type demand struct {\n" +
          "\tsync.Mutex\n" +
          "\twaiters int\n" +
          "\t// wanted is closed while there are waiters.\n" +
          "\twanted chan struct{}\n" +
          "}\n\n" +
          "func (dsw *desiredStateOfWorld) Want() func() {\n" +
          "\td := &dsw.demand\n" +
          "\td.Lock()\n" +
          "\tdefer d.Unlock()\n" +
          "\td.waiters++\n" +
          "\tif d.waiters == 1 {\n\t\tclose(d.wanted)\n\t}\n" +
          "\treturn func() {\n" +
          "\t\td.Lock()\n" +
          "\t\tdefer d.Unlock()\n" +
          "\t\td.waiters--\n" +
          "\t\tif d.waiters == 0 {\n\t\t\td.wanted = make(chan struct{})\n\t\t}\n" +
          "\t}\n" +
          "}\n\n" +
          "func (dsw *desiredStateOfWorld) Rest(stop <-chan struct{}) {\n" +
          "\tdsw.demand.Lock()\n" +
          "\twanted := dsw.demand.wanted\n" +
          "\tdsw.demand.Unlock()\n" +
          "\trest := time.NewTimer(time.Second)\n" +
          "\tdefer rest.Stop()\n" +
          "\tselect {\n\tcase <-wanted:\n\tcase <-rest.C:\n\tcase <-stop:\n\t}\n" +
          "}\n\n" +
          "type desiredStateOfWorld struct {\n\tdemand demand\n",
      },
    ],
    reason,
    upstream,
    removeWhen,
  },
  {
    id: "volume-waiters",
    module,
    file: `${directory}/volume_manager.go`,
    edits: [
      {
        find: "\tpodAttachAndMountRetryInterval = 300 * time.Millisecond\n",
        replace: "\tpodAttachAndMountRetryInterval = 100 * time.Millisecond\n",
      },
      {
        find: '\tlogger.V(3).Info("Waiting for volumes to attach and mount for pod", "pod", klog.KObj(pod))\n',
        replace:
          '\tlogger.V(3).Info("Waiting for volumes to attach and mount for pod", "pod", klog.KObj(pod))\n' +
          "\tdefer vm.desiredStateOfWorld.Want()()\n",
      },
      {
        find: '\tlogger.V(3).Info("Waiting for volumes to unmount for pod", "pod", klog.KObj(pod))\n',
        replace:
          '\tlogger.V(3).Info("Waiting for volumes to unmount for pod", "pod", klog.KObj(pod))\n' +
          "\tdefer vm.desiredStateOfWorld.Want()()\n",
      },
    ],
    reason,
    upstream,
    removeWhen,
  },
  {
    id: "volume-populator",
    module,
    file: `${directory}/populator/desired_state_of_world_populator.go`,
    edits: [
      {
        find: "\twait.UntilWithContext(ctx, dswp.populatorLoop, dswp.loopSleepDuration)\n",
        replace:
          "\twait.UntilWithContext(ctx, func(ctx context.Context) {\n" +
          "\t\tdswp.desiredStateOfWorld.Rest(ctx.Done())\n" +
          "\t\tdswp.populatorLoop(ctx)\n" +
          "\t}, dswp.loopSleepDuration)\n",
      },
    ],
    reason,
    upstream,
    removeWhen,
  },
  {
    id: "volume-reconciler",
    module,
    file: `${directory}/reconciler/reconciler.go`,
    edits: [
      {
        find: "\twait.Until(func() { rc.reconcile(ctx) }, rc.loopSleepDuration, stopCh)\n",
        replace:
          "\twait.Until(func() {\n" +
          "\t\tif rc.StatesHasBeenSynced() && len(rc.volumesNeedUpdateFromNodeStatus) == 0 {\n" +
          "\t\t\trc.desiredStateOfWorld.Rest(stopCh)\n" +
          "\t\t}\n" +
          "\t\trc.reconcile(ctx)\n" +
          "\t}, rc.loopSleepDuration, stopCh)\n",
      },
    ],
    reason,
    upstream,
    removeWhen,
  },
];
