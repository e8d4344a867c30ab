package dns

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin/kubernetes"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// stanza is what kubeadm configures for the cluster's names: records of pods without a
// look at the pods, and reverse names of other addresses left to the next handler.
// CoreDNS exports no other way to set these options.
const stanza = `kubernetes %s in-addr.arpa ip6.arpa {
	pods insecure
	fallthrough in-addr.arpa ip6.arpa
	ttl 30
}`

// cluster answers for the cluster's names by what the API server says.
type cluster struct {
	names *kubernetes.Kubernetes
	stop  func() error
}

// newCluster prepares the watches of the API. Nothing is asked before run.
func newCluster(ctx context.Context, api *rest.Config, domain string) (*cluster, error) {
	domain = strings.TrimSuffix(domain, ".")
	if problems := validation.IsDNS1123Subdomain(domain); len(problems) != 0 {
		return nil, fmt.Errorf("cluster domain %q: %s", domain, strings.Join(problems, ", "))
	}
	controller := &caddy.Controller{
		Dispenser: caddyfile.NewDispenser("kubernetes", strings.NewReader(fmt.Sprintf(stanza, domain))),
	}
	controller.Next()
	names, err := kubernetes.ParseStanza(controller)
	if err != nil {
		return nil, fmt.Errorf("configure the names of %s: %w", domain, err)
	}
	names.ClientConfig = fixedClient{forWatches(api)}
	// Watches end by stop, not by ctx: client-go reports one that ends by its context as
	// broken. The function that waits for the first listing is left, as it logs on its own
	// and looks ten times a second only.
	_, stop, err := names.InitKubeCache(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("watch the API for names of %s: %w", domain, err)
	}
	return &cluster{names: names, stop: stop}, nil
}

// run watches the API until ctx is done.
func (c *cluster) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { _ = c.stop() })()
	c.names.APIConn.Run()
}

// waitSynced says whether the API has been listed before ctx was done.
func (c *cluster) waitSynced(ctx context.Context) bool {
	ticker := time.NewTicker(syncInterval)
	defer ticker.Stop()
	for !c.names.Ready() {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

// forWatches asks for the encoding that takes the least memory to read.
func forWatches(api *rest.Config) *rest.Config {
	config := rest.CopyConfig(api)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.UserAgent = "sandkube-dns"
	return config
}

// fixedClient is the form in which CoreDNS takes a rest.Config.
type fixedClient struct {
	config *rest.Config
}

func (f fixedClient) ClientConfig() (*rest.Config, error) { return f.config, nil }

func (f fixedClient) RawConfig() (clientcmdapi.Config, error) { return clientcmdapi.Config{}, nil }

func (f fixedClient) Namespace() (string, bool, error) { return "", false, nil }

func (f fixedClient) ConfigAccess() clientcmd.ConfigAccess { return nil }
