import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { commonFiles, extractPackages, finish } from "../images/userland.js";

const packages = ["apache2-bin", "nginx-light"];

/** Where the upstream images have what critest looks for: the number of nginx's process, the pages. */
const files: Readonly<Record<string, string>> = {
  ...commonFiles,
  "etc/nginx/nginx.conf":
    "daemon off;\npid /var/run/nginx.pid;\nuser nobody nogroup;\nerror_log /dev/stderr;\n" +
    "events {}\nhttp {\n  include mime.types;\n  access_log /dev/stdout;\n" +
    "  include /etc/nginx/conf.d/*.conf;\n}\n",
  "etc/nginx/conf.d/default.conf": "server { listen 80; root /usr/share/nginx/html; }\n",
  "etc/httpd/httpd.conf":
    "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n" +
    "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n" +
    "LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so\n" +
    "DefaultRuntimeDir /run\nPidFile /run/httpd.pid\nErrorLog /dev/stderr\n" +
    "ServerName localhost\nListen 80\nUser nobody\nGroup nogroup\nDocumentRoot /var/www\n",
  "var/www/index.html": "<html><body><h1>It works!</h1></body></html>\n",
};

/** Makes a root file system with nginx and Apache of Debian if it is not in the cache yet. */
export async function webRoot(busybox: string, signal: AbortSignal): Promise<string> {
  const directory = await cached({
    name: "conformance-web-root",
    recipe: { form: 1, packages, files: Object.entries(files).flat(), busybox },
    signal,
    build: async (scratch) => {
      const root = join(scratch, "root");
      await extractPackages(root, packages, signal);
      await mkdir(join(root, "bin"), { recursive: true });
      await copyFile(busybox, join(root, "bin/busybox"));
      await finish(root, files, signal);
    },
  });
  return join(directory, "root");
}
