import { expect, test } from "vitest";
import { wayOutOf } from "./way-out.js";

const options = { podRange: "10.42.0.0/16", serviceRange: "10.43.0.0/16" };
const environment = { https_proxy: "http://user:secret@127.0.0.1:3128", NO_PROXY: ".corp.example" };
const request = { options, environment, caBundle: "/c/ca.pem" };

test("roles use the proxies where they are, and reach the cluster directly", () => {
  const wayOut = wayOutOf({ ...request, proxyPods: false });
  expect(wayOut.roleEnvironment).toMatchObject({
    HTTPS_PROXY: environment.https_proxy,
    NO_PROXY: expect.stringMatching(/^\.corp\.example,.*10\.42\.0\.0\/16,10\.43\.0\.0\/16/),
    SSL_CERT_FILE: "/c/ca.pem",
  });
  expect(wayOut).toMatchObject({ podEnvironment: {}, podCaBundle: "", loopbackPorts: [] });
});

test("pods that are told reach a proxy of the loopback address at the node's", () => {
  const wayOut = wayOutOf({ ...request, proxyPods: true });
  expect(wayOut.podEnvironment).toMatchObject({
    HTTPS_PROXY: "http://user:secret@10.42.0.1:3128",
    https_proxy: "http://user:secret@10.42.0.1:3128",
    no_proxy: expect.stringContaining("10.43.0.1"),
    SSL_CERT_FILE: "/dev/sandkube-ca-bundle.pem",
    NODE_EXTRA_CA_CERTS: "/dev/sandkube-ca-bundle.pem",
  });
  expect(wayOut).toMatchObject({ podCaBundle: "/c/ca.pem", loopbackPorts: [3128] });
});

test("pods that share the sandbox's network reach a proxy of its loopback address there", () => {
  const wayOut = wayOutOf({ ...request, proxyPods: true, sharesNetwork: true });
  expect(wayOut.podEnvironment).toMatchObject({ HTTPS_PROXY: environment.https_proxy });
  expect(wayOut.loopbackPorts).toEqual([]);
});

test("pods get the CA certificates where there is no proxy too", () => {
  const { podEnvironment } = wayOutOf({ ...request, environment: {}, proxyPods: true });
  expect(podEnvironment).not.toHaveProperty("NO_PROXY");
  expect(podEnvironment).toHaveProperty("SSL_CERT_FILE");
});
