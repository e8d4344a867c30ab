import { join } from "node:path";
import { repositoryPath } from "../../scripts/programs/repository.js";
import type { ImageParts, ImageRecipe } from "./image.js";

/** The file of the image's base upstream that a spec reads through an image volume. */
export const osRelease = repositoryPath("conformance/images/alpine-os-release");

/**
 * How the images that conformance specs use are made, by the last part of their names. They have the
 * programs of the upstream images, with Debian where those have Alpine or another base. All versions
 * of a name are the same: the specs that roll from one to another look at names only.
 */
export const catalogue: Readonly<Record<string, (parts: ImageParts) => ImageRecipe>> = {
  agnhost: (parts) => ({
    content: sharedContent(parts),
    entrypoint: ["/agnhost"],
    command: ["pause"],
  }),
  "glibc-dns-testing": (parts) => ({ content: sharedContent(parts), command: ["sh"] }),
  nginx: (parts) => ({ content: sharedContent(parts), command: ["nginx"] }),
  busybox: ({ userlands }) => ({ content: ["-dir", `${userlands.small}:/`], command: ["sh"] }),
  nonroot: ({ userlands }) => ({
    content: ["-dir", `${userlands.small}:/`],
    command: ["sh"],
    user: "1234",
  }),
  nonewprivs: ({ nonewprivs }) => ({
    content: ["-file", `${nonewprivs}:/usr/local/bin/nnp:4755`],
    command: ["nnp"],
  }),
  kitten: (parts) => {
    const { content, ...start } = picture(parts, "kitten");
    return { ...start, content: [...content, "-file", `${osRelease}:/etc/os-release:0644`] };
  },
  nautilus: (parts) => picture(parts, "nautilus"),
  etcd: ({ etcd }) => ({
    content: ["-file", `${etcd}:/usr/local/bin/etcd:0755`],
    command: ["etcd"],
  }),
  "sample-apiserver": ({ sampleApiserver }) => ({
    content: ["-file", `${sampleApiserver}:/sample-apiserver:0755`],
    entrypoint: ["/sample-apiserver"],
  }),
};

/** The same for several images, so that the node unpacks it once: a node's snapshots lie in memory. */
function sharedContent({ userlands, agnhost, sources }: ImageParts): string[] {
  const porter = join(sources, "agnhost/porter");
  return [
    ...["-dir", `${userlands.full}:/`, "-dir", ":/uploads"],
    ...["-file", `${agnhost}:/agnhost:0755`, "-link", "agnhost:/agnhost-2"],
    ...["-file", `${porter}/localhost.crt:/localhost.crt:0644`],
    ...["-file", `${porter}/localhost.key:/localhost.key:0644`],
  ];
}

function picture({ agnhost, sources }: ImageParts, name: string): ImageRecipe {
  const html = join(sources, name, "html");
  return {
    content: [
      ...["-file", `${agnhost}:/agnhost:0755`],
      ...["-file", `${html}/${name}.jpg:/${name}.jpg:0644`],
      ...["-file", `${html}/data.json:/data.json:0644`],
    ],
    entrypoint: ["/agnhost"],
    command: ["test-webserver"],
  };
}
