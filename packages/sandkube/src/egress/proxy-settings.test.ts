import { describe, expect, it, test } from "vitest";
import {
  proxiesForPods,
  proxyVariables,
  readProxySettings,
  withoutAccount,
  withoutProxyInCluster,
} from "./proxy-settings.js";

const ranges = {
  podRange: "10.42.0.0/16",
  serviceRange: "10.43.0.0/16",
  apiServerAddress: "10.43.0.1",
};

describe("readProxySettings", () => {
  it.each([
    [{}, null, null, []],
    [{ HTTPS_PROXY: "http://a:1" }, null, "http://a:1", []],
    [{ HTTPS_PROXY: "http://a:1", https_proxy: "b:2" }, null, "http://b:2", []],
    [{ ALL_PROXY: "socks5://a:1", http_proxy: "http://b" }, "http://b", "socks5://a:1", []],
    [{ HTTP_PROXY: "", NO_PROXY: " one, ,10.0.0.0/8" }, null, null, ["one", "10.0.0.0/8"]],
  ])("%j", (environment, http, https, noProxy) => {
    expect(readProxySettings(environment)).toEqual({ http, https, noProxy });
  });

  it.each(["ftp://a", "http://", "http://user:secret@"])("refuses %s", (HTTPS_PROXY) => {
    expect(() => readProxySettings({ HTTPS_PROXY })).toThrow(/^HTTPS_PROXY is (?!.*secret)/);
  });
});

test("the cluster's own addresses and names need no proxy", () => {
  const settings = { http: "http://a", https: null, noProxy: ["localhost", ".corp.example"] };
  expect(withoutProxyInCluster(settings, ranges).noProxy).toEqual([
    ...["localhost", ".corp.example", "127.0.0.0/8", "::1"],
    ...["10.42.0.0/16", "10.43.0.0/16", "10.43.0.1", ".svc", ".cluster.local"],
  ]);
  expect(withoutProxyInCluster({ ...settings, noProxy: ["*"] }, ranges).noProxy).toEqual(["*"]);
});

test("programs are told in upper and lower case, and of nothing when there is no proxy", () => {
  expect(proxyVariables({ http: null, https: null, noProxy: ["a"] })).toEqual({});
  expect(proxyVariables({ http: null, https: "http://p:1", noProxy: ["a", "b"] })).toEqual({
    ...{ HTTPS_PROXY: "http://p:1", https_proxy: "http://p:1" },
    ...{ NO_PROXY: "a,b", no_proxy: "a,b" },
  });
});

describe("proxiesForPods", () => {
  it.each([
    ["http://127.0.0.1:3128", "http://10.42.0.1:3128", [3128]],
    ["http://localhost", "http://10.42.0.1:80", [80]],
    ["http://user:p%40ss@127.0.0.2:8080/", "http://user:p%40ss@10.42.0.1:8080", [8080]],
    ["socks5://[::1]", "socks5://10.42.0.1:1080", [1080]],
    ["http://proxy.example:3128", "http://proxy.example:3128", []],
  ])("%s becomes %s", (https, expected, ports) => {
    const translated = proxiesForPods({ http: null, https, noProxy: [] }, "10.42.0.1");
    expect(translated.settings.https).toBe(expected);
    expect(translated.loopbackPorts).toEqual(ports);
  });
});

test("an account is not for people", () => {
  expect(withoutAccount("http://user:secret@proxy:3128/")).toBe("http://***@proxy:3128/");
  expect(withoutAccount("http://proxy:3128")).toBe("http://proxy:3128");
});
