import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { ensurePrograms } from "../../lab/src/debian.js";
import { requireOnHost } from "../../lab/src/host-command.js";
import { buildTool } from "../../scripts/programs/build.js";
import { goBuild, goVersion } from "../../scripts/programs/go-build.js";
import { repositoryPath } from "../../scripts/programs/repository.js";

/** Names of the test images, for manifests: they are loaded from files, never pulled. */
export const imageNames = {
  busybox: "sandkube.local/busybox:1",
  hello: "sandkube.local/hello:1",
} as const;

/** Where the images that are hard to load lie, below the directory of the test images. */
export const odditiesDirectory = "oddities";

export interface TestImages {
  /** Directory of this machine with the archives. */
  readonly directory: string;
  /** File names of the archives in it. */
  readonly archives: readonly string[];
  /** File name of the program that plays registries and proxies: see e2e/images/outside. */
  readonly outside: string;
}

const busybox = "/bin/busybox";
const helloSources = repositoryPath("examples/hello");
const nettoolsSources = repositoryPath("e2e/images/nettools");
const odditiesSources = repositoryPath("e2e/images/oddities");
const outsideSources = repositoryPath("e2e/images/outside");
/** The names that nettools is started by. */
const nettools = [
  "fetch",
  "resolve",
  "connect",
  "ask-udp",
  "echo-request",
  "count",
  "answer-bulk",
  "answer-udp",
];
const outside = "outside";
const archives = ["busybox.tar", "hello.tar"] as const;
const buildTimeoutMs = 5 * 60_000;

/** The archives of the test images, built if they are not in the cache yet; needs no registry. */
export async function testImages(signal: AbortSignal): Promise<TestImages> {
  if (!existsSync(busybox)) await ensurePrograms({ busybox: "busybox-static" }, signal);
  const imageArchive = await buildTool("image-archive", (line) => console.error(line));
  const directory = await cached({
    name: "test-images",
    recipe: {
      form: 3,
      imageArchive,
      busybox: digestOf(await readFile(busybox)),
      hello: await sourcesKey(helloSources),
      nettools: await sourcesKey(nettoolsSources),
      oddities: await sourcesKey(odditiesSources),
      outside: await sourcesKey(outsideSources),
      go: await goVersion(helloSources),
    },
    signal,
    build: async (scratch) => {
      await buildBusybox(imageArchive, scratch, signal);
      await buildHello(imageArchive, scratch, signal);
      await buildOddities(scratch, signal);
      await goBuild({ module: outsideSources, package: ".", output: join(scratch, outside) });
    },
  });
  return { directory, archives, outside };
}

/** Debian's static busybox and nettools, each with a link for every name of it. */
async function buildBusybox(
  imageArchive: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: buildTimeoutMs };
  const program = join(directory, "nettools");
  await goBuild({ module: nettoolsSources, package: ".", output: program });
  const applets = (await requireOnHost([busybox, "--list"], options)).trim().split("\n");
  await requireOnHost(
    [
      imageArchive,
      ...["-o", join(directory, "busybox.tar"), "-ref", imageNames.busybox],
      ...["-file", `${busybox}:/bin/busybox:0755`, "-file", `${program}:/bin/nettools:0755`],
      ...nettools.flatMap((name) => ["-link", `nettools:/bin/${name}`]),
      ...applets
        .filter((applet) => applet !== "busybox")
        .flatMap((applet) => ["-link", `busybox:/bin/${applet}`]),
      ...["-dir", ":/tmp", "-cmd", "sh"],
      ...["-env", "PATH=/bin"],
    ],
    options,
  );
}

/** The sample application, with nothing but itself in its image. */
async function buildHello(
  imageArchive: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: buildTimeoutMs };
  const program = join(directory, "hello");
  await goBuild({ module: helloSources, package: ".", output: program });
  await requireOnHost(
    [
      imageArchive,
      ...["-o", join(directory, "hello.tar"), "-ref", imageNames.hello],
      ...["-entrypoint", "/hello", "-user", "65532:65532"],
      ...["-file", `${program}:/hello:0755`],
    ],
    options,
  );
}

/** Images that are hard to load, and bad ones, in a directory of their own. */
async function buildOddities(directory: string, signal: AbortSignal): Promise<void> {
  const program = join(directory, "write-oddities");
  await goBuild({ module: odditiesSources, package: ".", output: program });
  await requireOnHost([program, busybox, join(directory, odditiesDirectory)], {
    signal,
    timeoutMs: buildTimeoutMs,
  });
}

/** Changes when a Go module's sources do, tests apart. */
async function sourcesKey(module: string): Promise<string> {
  const names = (await readdir(module)).filter(
    (name) => /\.(go|mod|sum)$/.test(name) && !name.endsWith("_test.go"),
  );
  const contents = names.toSorted().map((name) => readFile(join(module, name)));
  return digestOf(Buffer.concat(await Promise.all(contents)));
}

function digestOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
