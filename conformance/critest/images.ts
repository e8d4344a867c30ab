import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { requireOnHost } from "../../lab/src/host-command.js";
import { architectureNames, hostArchitecture } from "../../scripts/programs/architecture.js";
import { buildTool } from "../../scripts/programs/build.js";
import { cToolchain } from "../../scripts/programs/c-toolchain.js";
import { goBuild, goModuleDirectory } from "../../scripts/programs/go-build.js";
import { archiveName, writeArchive, type NamedImage } from "../images/archive.js";
import type { ConformanceImages } from "../images/conformance-images.js";
import { userlands } from "../images/userland.js";
import { suiteModule, suiteModuleRecipe } from "../suite/suite.js";
import { moduleRecipe } from "../suite/compile-test.js";
import { critestModule, criTools } from "./critest.js";
import { webRoot } from "./web-root.js";

const kubernetesPlace = "registry.k8s.io/e2e-test-images";
const criToolsPlace = "gcr.io/k8s-staging-cri-tools";

/** What the images are made of, as paths on this machine. */
interface Parts {
  /** Root file systems: busybox alone; nginx, Apache and busybox. */
  readonly small: string;
  readonly web: string;
  readonly nonewprivs: string;
  readonly pause: string;
  readonly empty: string;
  /** `images` of cri-tools. */
  readonly sources: string;
}

/** Stands for the parts where only the shape of a recipe counts. */
const noParts: Parts = { small: "", web: "", nonewprivs: "", pause: "", empty: "", sources: "" };

/** Further names of the same image. */
const aliases: readonly (readonly [image: string, alias: string])[] = [
  ["registry.k8s.io/pause:3.9", "k8s.gcr.io/pause:3.9"],
  [`${criToolsPlace}/test-image-tags:1`, `${criToolsPlace}/test-image-tags:2`],
  [`${criToolsPlace}/test-image-tags:1`, `${criToolsPlace}/test-image-tags:3`],
];

/**
 * The images that critest pulls, but the one that it names by a digest: no other build has that. Those
 * of `images` in cri-tools are busybox with what its Dockerfiles add.
 */
function imagesOf({ small, web, nonewprivs, pause, empty, sources }: Parts): NamedImage[] {
  const tools = ["-dir", `${small}:/`];
  const busybox = { content: tools, command: ["sh"] };
  const servers = ["-dir", `${web}:/`, "-link", "/run:/var/run"];
  const nginx = { content: servers, command: ["nginx"] };
  const own = (name: string): string => `${criToolsPlace}/${name}`;
  const marked = (name: string, file: string): NamedImage => ({
    ...busybox,
    reference: own(name),
    content: [...tools, "-file", `${empty}:/${file}:0644`],
  });
  const ofUser = (name: string, user: string): NamedImage => ({
    ...busybox,
    reference: own(`${name}:latest`),
    user,
  });
  const { go } = architectureNames[hostArchitecture()];
  return [
    {
      ...busybox,
      reference: `${kubernetesPlace}/busybox:1.29-2`,
      // Upstream's programs are hard links: a mount over ls leaves the others alone.
      content: [...tools, "-file", `${join(small, "bin/busybox")}:/bin/ls:0755`],
    },
    { ...nginx, reference: `${kubernetesPlace}/nginx:1.14-2` },
    {
      reference: `${kubernetesPlace}/httpd:2.4.39-4`,
      content: [...servers, "-link", "/usr/sbin/apache2:/usr/local/bin/httpd"],
      command: ["httpd", "-DFOREGROUND", "-f", "/etc/httpd/httpd.conf"],
    },
    {
      reference: `${kubernetesPlace}/nonewprivs:1.3`,
      content: ["-file", `${nonewprivs}:/usr/local/bin/nnp:4755`],
      command: ["nnp"],
    },
    {
      reference: "registry.k8s.io/pause:3.9",
      content: ["-file", `${pause}:/pause:0755`],
      entrypoint: ["/pause"],
      user: "65535:65535",
    },
    {
      ...nginx,
      reference: own(`hostnet-nginx-${go}:latest`),
      content: [
        ...servers,
        ...[
          "-file",
          `${join(sources, "hostnet-nginx/default.conf")}:/etc/nginx/conf.d/default.conf:0644`,
        ],
      ],
    },
    ofUser("test-image-user-uid", "1002"),
    ofUser("test-image-user-username", "www-data"),
    ofUser("test-image-user-uid-group", "1003:1004"),
    ofUser("test-image-user-username-group", "www-data:1004"),
    // The user 1000 and the group 50000 are in every image here.
    ofUser("test-image-predefined-group", "1000"),
    ...["1", "2", "3", "latest"].map((name) =>
      marked(`test-image-${name}:latest`, `test-image-${name}`),
    ),
    marked("test-image-tags:1", "same-image"),
    marked("test-image-tag:test", "test"),
    marked("test-image-tag:all", "all"),
  ];
}

/** Makes the images that critest pulls if they are not in the cache yet. */
export async function critestImages(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<ConformanceImages> {
  const imageArchive = await buildTool("image-archive", report);
  const { small } = await userlands(signal, report);
  const web = await webRoot(join(small, "bin/busybox"), signal);
  const directory = await cached({
    name: "conformance-critest-images",
    recipe: {
      form: 1,
      ...(await suiteModuleRecipe()),
      critest: Object.values(await moduleRecipe(critestModule)),
      imageArchive,
      roots: [small, web],
      images: imagesOf(noParts).map((image) => JSON.stringify(image)),
    },
    signal,
    build: async (entry) => {
      report("making critest's images");
      const scratch = join(entry, "parts");
      await mkdir(scratch);
      const parts = { small, web, ...(await buildParts(scratch, signal, report)) };
      for (const image of imagesOf(parts)) {
        await writeArchive(imageArchive, entry, image, signal);
      }
      await rm(scratch, { recursive: true });
    },
  });
  const references = imagesOf(noParts).map(({ reference }) => reference);
  const names = [...references, ...aliases.map(([, alias]) => alias)];
  return {
    directory,
    archives: references.map(archiveName),
    aliases,
    registries: [...new Set(names.map((name) => name.replace(/\/.*/, "")))],
  };
}

const compileTimeoutMs = 60_000;

async function buildParts(
  scratch: string,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<Omit<Parts, "small" | "web">> {
  const [nonewprivs, pause, empty] = ["nonewprivs", "pause", "empty"].map((name) =>
    join(scratch, name),
  ) as [string, string, string];
  await goBuild({
    module: suiteModule,
    package: "k8s.io/kubernetes/test/images/nonewprivs",
    output: nonewprivs,
  });
  const kubernetes = await goModuleDirectory(suiteModule, "k8s.io/kubernetes");
  const { compiler } = await cToolchain(hostArchitecture(), scratch, report);
  const source = join(kubernetes, "build/pause/linux/pause.c");
  await requireOnHost(
    [compiler, "-Os", "-Wall", "-static", "-s", "-DVERSION=v3.9", "-o", pause, source],
    { signal, timeoutMs: compileTimeoutMs },
  );
  await writeFile(empty, "");
  const tools = await goModuleDirectory(critestModule, criTools);
  return { nonewprivs, pause, empty, sources: join(tools, "images") };
}
