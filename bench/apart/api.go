package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"sandkube.dev/runtime/internal/nodespec"
)

// pollInterval is that of sandkube's own waits.
const pollInterval = 25 * time.Millisecond

// api asks the API server how far the cluster is, as the administrator.
type api struct {
	client http.Client
	server string
}

func newAPI(spec *nodespec.NodeSpec) (*api, error) {
	certificate, err := tls.LoadX509KeyPair(spec.PKI("admin.crt"), spec.PKI("admin.key"))
	if err != nil {
		return nil, fmt.Errorf("the administrator's certificate: %w", err)
	}
	authority, err := os.ReadFile(spec.PKI("ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("the cluster's CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", spec.PKI("ca.crt"))
	}
	trust := &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: roots}
	address := net.JoinHostPort(spec.ControlPlane.BindAddress, strconv.Itoa(spec.ControlPlane.Port))
	return &api{
		client: http.Client{Transport: &http.Transport{TLSClientConfig: trust}, Timeout: 10 * time.Second},
		server: "https://" + address,
	}, nil
}

// until polls until reached succeeds, and prints the milestone.
func (a *api) until(ctx context.Context, milestone string, reached func(context.Context) error) error {
	if err := poll(ctx, reached); err != nil {
		return fmt.Errorf("%s: %w", milestone, err)
	}
	fmt.Println(milestone)
	return nil
}

func (a *api) ready(ctx context.Context) error {
	_, err := a.get(ctx, "/readyz")
	return err
}

// answers succeeds when the API server can say whether it has the node.
func (a *api) answers(ctx context.Context, node string) error {
	_, err := a.get(ctx, "/api/v1/nodes/"+node)
	var status statusError
	if errors.As(err, &status) && status.code == http.StatusNotFound {
		return nil
	}
	return err
}

func (a *api) nodeReady(ctx context.Context, name string) error {
	content, err := a.get(ctx, "/api/v1/nodes/"+name)
	if err != nil {
		return err
	}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := json.Unmarshal(content, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type != "Ready" {
			continue
		}
		if condition.Status == "True" {
			return nil
		}
		return errors.New(condition.Message)
	}
	return errors.New("the node has no condition Ready")
}

// podsCanBeMade succeeds when the default namespace has what every pod needs.
func (a *api) podsCanBeMade(ctx context.Context) error {
	if _, err := a.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default"); err != nil {
		return err
	}
	_, err := a.get(ctx, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
	return err
}

// statusError is an answer other than 200.
type statusError struct {
	path string
	code int
}

func (e statusError) Error() string { return fmt.Sprintf("GET %s: HTTP status %d", e.path, e.code) }

func (a *api) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.server+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, statusError{path: path, code: response.StatusCode}
	}
	return content, nil
}

// poll calls try until it succeeds or ctx is done. The error then tells what try last said.
func poll(ctx context.Context, try func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: last: %w", context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}
