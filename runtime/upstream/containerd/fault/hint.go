package fault

import (
	"fmt"
	"time"
)

const preload = "`sandkube image load FILE` brings an image without a registry"

// Hint says what can be done about a fault in the way to an image, in whole sentences.
func (f *Fault) Hint(reference string) string {
	test := fmt.Sprintf("`sandkube doctor --registry %s` tests the way step by step.", reference)
	switch f.Kind {
	case NotFound:
		return "Check the name, the tag or digest; some registries say so of what needs an account, too."
	case Unauthorized:
		return fmt.Sprintf("Give an account for %s: to pods by imagePullSecrets, to `sandkube image pull` by --creds-stdin or docker's config.json, to both by registries.yaml.", f.Host)
	case RateLimited:
		wait := "Wait"
		if f.RetryAfterMs > 0 {
			wait = fmt.Sprintf("Wait %d s", (f.RetryAfter()+time.Second-1)/time.Second)
		}
		return fmt.Sprintf("%s, use an account, or name a mirror in registries.yaml; %s.", wait, preload)
	case Refused:
		return fmt.Sprintf("The way to %s is forbidden, the image is not at fault. Have the host allowed, name a mirror that is allowed in registries.yaml, or preload: %s.", f.Host, preload)
	case ProxyAccount:
		return "Put the proxy's account into HTTPS_PROXY and HTTP_PROXY, as http://USER:PASSWORD@HOST:PORT, then `sandkube down` and `sandkube up`."
	case Untrusted:
		return "If the signer is your sandbox's proxy, name its CA certificate in SSL_CERT_FILE, then `sandkube down` and `sandkube up`; if it is the registry's own CA, in tls.ca_file of registries.yaml. " + test
	case Unreachable:
		return fmt.Sprintf("Check the name, HTTPS_PROXY and NO_PROXY, or name a mirror in registries.yaml; %s. %s", preload, test)
	default:
		return test + " A registry without TLS needs an http:// endpoint in registries.yaml, or --insecure of `sandkube image pull`."
	}
}
