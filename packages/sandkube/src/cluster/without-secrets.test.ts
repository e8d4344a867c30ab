import { expect, test } from "vitest";
import { withoutSecrets } from "./without-secrets.js";

test.each([
  [
    '"httpProxy": "http://user:secret@proxy.example:3128"',
    '"httpProxy": "http://***@proxy.example:3128"',
  ],
  ["http://secret@proxy.example/", "http://***@proxy.example/"],
  ["Authorization: Bearer secret", "Authorization: Bearer ***"],
  ['"authorization":"Basic secret"', '"authorization":"Basic ***"'],
  ["    client-key-data: secret", "    client-key-data: ***"],
  ['{"password": "secret", "user": "me"}', '{"password": "***", "user": "me"}'],
  [
    "-----BEGIN EC PRIVATE KEY-----\nsecret\n-----END EC PRIVATE KEY-----",
    "-----EC PRIVATE KEY left out-----",
  ],
  ["token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl!", "token ***!"],
])("%j", (text, cleaned) => {
  expect(withoutSecrets(text)).toBe(cleaned);
});

test.each([
  "GET https://127.0.0.1:6443/readyz 200",
  "mail to someone@example.com",
  "image sandkube.local/pause@sha256:0123",
  '"tokenTTL": 3600',
])("%j stays as it is", (text) => {
  expect(withoutSecrets(text)).toBe(text);
});
