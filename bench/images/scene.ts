import { OutputLines } from "../../e2e/harness/output-lines.js";
import { Sandkube } from "../../e2e/harness/sandkube.js";
import type { Sandbox } from "../../lab/src/index.js";
import { requireTimed } from "../timed-command.js";
import { warmMemory } from "../warm.js";
import { largeName, largeProgram, type Compression } from "./image.js";

const limitMs = 10 * 60_000;
const registry = "127.0.0.1:5080";
const pulled = `${registry}/large:1`;
/** Where tar unpacks to; where layers lie in memory, in memory too. */
const unpacked = "/mnt/unpacked";

/** Memory of containerd and its helpers, in bytes. */
export interface MemoryFigures {
  readonly idleBytes: number;
  readonly peakBytes: number;
}

/** A running cluster, and the large image beside it. */
export class Scene {
  readonly #sandkube: Sandkube;
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;
  /** Path inside of the directory with the image. */
  readonly #images: string;

  private constructor(sandbox: Sandbox, images: string, signal: AbortSignal) {
    this.#sandbox = sandbox;
    this.#sandkube = new Sandkube(sandbox);
    this.#images = images;
    this.#signal = signal;
  }

  /** Starts the cluster, and makes sure that the page cache has the image. */
  static async start(sandbox: Sandbox, directory: string, signal: AbortSignal): Promise<Scene> {
    const scene = new Scene(sandbox, sandbox.pathInside(directory), signal);
    await scene.#time(["sandkube", "up"]);
    const onTmpfs = `/proc/$(pgrep -f 'containerd --config' | head -n 1)/root/run/sk`;
    await scene.#shell(
      `mkdir -p ${unpacked}`,
      `if [ "$(stat -f -c %T ${onTmpfs})" = tmpfs ]; then mount -t tmpfs none ${unpacked}; fi`,
      `find ${scene.#images} -type f -exec cat {} + >/dev/null`,
    );
    return scene;
  }

  /** Seconds that tar takes to unpack the layers into one directory. */
  async untar(compression: Compression): Promise<number> {
    await this.#shell(`rm -rf ${unpacked}/root && mkdir ${unpacked}/root`);
    const each = `for layer in ${this.#images}/layers-${compression}/*; do tar -xf "$layer" -C ${unpacked}/root || exit 1; done`;
    const seconds = await this.#time(["sh", "-c", each]);
    await this.#shell(`rm -rf ${unpacked}/root`);
    return seconds;
  }

  /** Seconds that `image load` takes. */
  async load(compression: Compression): Promise<number> {
    return await this.#time(this.#loadCommand(compression));
  }

  /** The memory that a load needs. Looking at it takes time, so that this load is not timed. */
  async loadWatched(compression: Compression): Promise<MemoryFigures> {
    const script = `${this.#sandbox.checkout}/bench/images/inside/peak-memory.mjs`;
    const watcher = this.#sandbox.spawn(["node", script], { signal: this.#signal });
    const output = new OutputLines(watcher);
    await output.until("the memory is watched", (line) => (line === "watching" ? line : null));
    await this.#time(this.#loadCommand(compression));
    watcher.stdin.end();
    return await output.until("the memory", (line) =>
      line.startsWith("{") ? (JSON.parse(line) as MemoryFigures) : null,
    );
  }

  #loadCommand(compression: Compression): string[] {
    return ["sandkube", "image", "load", `${this.#images}/${compression}.tar`];
  }

  /** The same with the snapshotter whose snapshots are copies, into the same containerd. */
  async loadAsCopies(compression: Compression): Promise<number> {
    const { program, socket } = await this.#containerd();
    return await this.#time([
      ...[program, "images", "--address", socket, "--snapshotter", "native"],
      ...["load", "--", `${this.#images}/${compression}.tar`],
    ]);
  }

  async #containerd(): Promise<{ program: string; socket: string }> {
    const { directory } = await this.#sandkube.status();
    const { pid } = await this.#sandkube.role("containerd");
    return { program: `/proc/${pid}/exe`, socket: `${directory}/node/run/containerd.sock` };
  }

  /** Takes the image away. */
  async remove(name = largeName): Promise<void> {
    await this.#sandkube.do(["image", "rm", name], { signal: this.#signal, timeoutMs: limitMs });
  }

  /** Seconds that `image pull` takes from a registry on the loopback address. */
  async pull(): Promise<number> {
    return await this.#pulling(["sandkube", "image", "pull", "--insecure", pulled]);
  }

  /** The same with the snapshotter whose snapshots are copies. */
  async pullAsCopies(): Promise<number> {
    const { program, socket } = await this.#containerd();
    const request = { reference: pulled, insecure: true, socket, snapshotter: "native" };
    const script = `printf '%s' '${JSON.stringify(request)}' | ${program} registry pull`;
    return await this.#pulling(["sh", "-c", script]);
  }

  async #pulling(argv: readonly string[]): Promise<number> {
    const server = this.#sandbox.spawn(
      [`${this.#images}/${largeProgram}`, "serve", this.#images, registry],
      { signal: this.#signal },
    );
    try {
      return await this.#time(argv);
    } finally {
      server.kill("SIGKILL");
      await this.remove(pulled);
    }
  }

  /** Seconds until a pod of the image is Ready, and how many snapshots of layers that brought. */
  async startPod(name: string): Promise<{ seconds: number; newLayers: number }> {
    const before = await this.#layers();
    const run = `sandkube kubectl run ${name} --image=${largeName} --image-pull-policy=Never && sandkube kubectl wait --for=condition=Ready pod/${name} --timeout=300s`;
    const seconds = await this.#time(["sh", "-c", run]);
    const newLayers = (await this.#layers()) - before;
    await this.#sandkube.kubectl("delete", "pod", name, "--now");
    return { seconds, newLayers };
  }

  async #layers(): Promise<number> {
    const list = await this.#sandkube.do(["ctr", "snapshots", "ls"]);
    return list.split("\n").filter((line) => line.includes("Committed")).length;
  }

  async #time(argv: readonly string[]): Promise<number> {
    await warmMemory(this.#signal);
    const options = { signal: this.#signal, limitMs };
    return (await requireTimed(this.#sandbox, argv, options)).durationMs / 1_000;
  }

  async #shell(...commands: string[]): Promise<void> {
    await requireTimed(this.#sandbox, ["sh", "-ec", commands.join("\n")], {
      signal: this.#signal,
      limitMs,
    });
  }
}
