/**
 * A registry of npm packages for one directory: the packed packages, and `packages.json` with what a
 * registry says of each. Arguments: the directory, the port. Prints a line when it listens.
 */
import { createReadStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [directory, port] = process.argv.slice(2);
const packages = JSON.parse(readFileSync(join(directory, "packages.json"), "utf8"));

createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://registry.example").pathname).slice(
    1,
  );
  if (path.endsWith(".tgz")) {
    createReadStream(join(directory, path))
      .once("error", () => response.writeHead(404).end())
      .pipe(response);
    return;
  }
  const { manifest, file, integrity } = packages[path] ?? {};
  if (manifest === undefined) {
    response.writeHead(404).end("{}");
    return;
  }
  const { name, version } = manifest;
  const dist = { integrity, tarball: `http://127.0.0.1:${port}/${file}` };
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
    }),
  );
}).listen(Number(port), "127.0.0.1", () => process.stdout.write("listening\n"));
