const patterns: readonly [RegExp, string][] = [
  // The user and password of a URL, such as that of a proxy.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, "$1***@"],
  [/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g, "-----$1 left out-----"],
  [
    /(\b(?:authorization|proxy-authorization)\b["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"',]+/gi,
    "$1***",
  ],
  [/((?:client-key-data|password|token)["']?\s*:\s*)[^\s"',{[][^\s,]*/gi, "$1***"],
  [/((?:client-key-data|password|token)"\s*:\s*")[^"]+/gi, "$1***"],
  // JSON Web Tokens, such as those of ServiceAccounts.
  [/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+/g, "***"],
];

/** A text with passwords, tokens and private keys blotted out. */
export function withoutSecrets(text: string): string {
  let cleaned = text;
  for (const [pattern, replacement] of patterns) cleaned = cleaned.replace(pattern, replacement);
  return cleaned;
}
