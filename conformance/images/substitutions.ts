/**
 * What of the suite's images is made of something else than upstream's, by the image's name, and by its
 * tag where that matters: a spec that used one of them has run with a substituted image. An image counts
 * as the same when the program that its containers start is built from the source of the same version as
 * upstream's, on whichever base.
 */
const substitutions: readonly { readonly image: RegExp; readonly instead: string }[] = [
  { image: /^nginx:/, instead: "Debian's nginx, of another version" },
  { image: /^glibc-dns-testing:/, instead: "Debian's programs, of other builds" },
  { image: /^nonroot:/, instead: "busybox for Debian's base" },
  { image: /^sample-apiserver:/, instead: "the program of this Kubernetes release" },
  { image: /^busybox:(?!1\.37\.0-)/, instead: "another version of busybox" },
  { image: /^agnhost:(?!2\.63\.0$)/, instead: "the program of this Kubernetes release" },
  { image: /^kitten:/, instead: "Alpine's /etc/os-release without the rest of Alpine" },
];

/** What stands in for an image such as "nginx:1.27-0"; null where nothing does. */
export function substitutionOf(image: string): string | null {
  return substitutions.find((substitution) => substitution.image.test(image))?.instead ?? null;
}
