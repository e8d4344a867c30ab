/**
 * A registry that images can be pulled from, as the OCI distribution specification has it, of the
 * images in archives. Arguments: the directory of the archives, OCI layouts in uncompressed tar files,
 * and JSON with pairs of an image's name and another name for it. It listens at the loopback address and
 * prints the port. Blobs are read from where they lie in the archives.
 */
import { createReadStream, readdirSync, openSync, readSync, closeSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [directory, aliases] = process.argv.slice(2);
const blockBytes = 512;

/** Where blobs lie, by digest. */
const blobs = new Map();
/** Descriptors of manifests, by the image's name. */
const images = new Map();

for (const name of readdirSync(directory).filter((name) => name.endsWith(".tar"))) {
  readArchive(join(directory, name));
}
for (const [image, alias] of JSON.parse(aliases)) {
  if (images.has(image)) images.set(alias, images.get(image));
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://registry.example");
  if (pathname === "/v2/") {
    response.end("{}");
    return;
  }
  const [, repository, kind, reference] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(decodeURIComponent(pathname)) ?? [];
  const found = kind === "manifests" ? manifest(repository, reference) : { digest: reference };
  const blob = blobs.get(found?.digest);
  if (blob === undefined) {
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ errors: [{ code: "NOT_FOUND", message: pathname }] }));
    return;
  }
  response.writeHead(200, {
    "content-type": found.mediaType ?? "application/octet-stream",
    "content-length": blob.size,
    "docker-content-digest": found.digest,
  });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(blob.path, { start: blob.start, end: blob.start + blob.size - 1 }).pipe(
      response,
    );

  /** The mirrored registry comes as the parameter `ns`. */
  function manifest(repository, reference) {
    if (reference.includes(":")) {
      return [...images.values()].find(({ digest }) => digest === reference);
    }
    return images.get(
      `${searchParams.get("ns") ?? request.headers.host}/${repository}:${reference}`,
    );
  }
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));

/** Notes an archive's blobs and images. */
function readArchive(path) {
  const file = openSync(path, "r");
  const read = (start, bytes) => {
    const buffer = Buffer.alloc(bytes);
    readSync(file, buffer, 0, bytes, start);
    return buffer;
  };
  const text = (buffer) => buffer.toString().replace(/\0.*$/s, "").trim();
  for (let offset = 0; ;) {
    const header = read(offset, blockBytes);
    const name = text(header.subarray(0, 100));
    if (name === "") break;
    const size = Number.parseInt(text(header.subarray(124, 136)), 8);
    const start = offset + blockBytes;
    const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
    if (digest !== undefined) blobs.set(`sha256:${digest}`, { path, start, size });
    if (name === "index.json") {
      for (const descriptor of JSON.parse(read(start, size)).manifests) {
        images.set(descriptor.annotations["io.containerd.image.name"], descriptor);
      }
    }
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  closeSync(file);
}
