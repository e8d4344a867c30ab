package imagedirectory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/distribution/reference"
)

// criNamespace is the containerd namespace of the kubelet's images.
const criNamespace = "k8s.io"

// pinnedLabel tells the kubelet, by the CRI, never to remove an image by itself.
const pinnedLabel = "io.cri-containerd.pinned"

// refusedError is the fault of a file, which is no better at a second attempt.
type refusedError struct{ message string }

func (e *refusedError) Error() string { return e.message }

// node is the node's images.
type node struct {
	store *client.Client
	tool  tool
}

// names are the full names of all images of the node.
func (n *node) names(ctx context.Context) (map[string]bool, error) {
	records, err := n.store.ImageService().List(namespaces.WithNamespace(ctx, criNamespace))
	if err != nil {
		return nil, fmt.Errorf("list the node's images: %w", err)
	}
	names := map[string]bool{}
	for _, record := range records {
		names[record.Name] = true
	}
	return names, nil
}

// load brings in the images of an archive.
func (n *node) load(ctx context.Context, f file, tell func(progress string)) ([]string, error) {
	return n.tool.load(ctx, f.path, tell)
}

// listLimitBytes is the most that a list of references may have.
const listLimitBytes = 1 << 20

// pullList pulls the images of a list that the node does not have, and pins all of them.
// What can be had is pulled, whatever else fails.
func (n *node) pullList(ctx context.Context, f file, tell func(progress string)) ([]string, error) {
	if f.SizeBytes > listLimitBytes {
		return nil, &refusedError{fmt.Sprintf("a list may have %d bytes, and this one has %d", listLimitBytes, f.SizeBytes)}
	}
	references, err := readList(f.path)
	if err != nil {
		return nil, err
	}
	var pulled []string
	var failures []error
	for _, one := range references {
		name, err := n.pullOne(ctx, one, tell)
		if ctx.Err() != nil {
			return pulled, ctx.Err()
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		pulled = append(pulled, name)
	}
	if len(failures) > 0 {
		// The pull has been tried several times where that may help.
		return pulled, &refusedError{strings.ReplaceAll(errors.Join(failures...).Error(), "\n", "; ")}
	}
	return pulled, nil
}

func (n *node) pullOne(ctx context.Context, text string, tell func(progress string)) (string, error) {
	named, err := reference.ParseDockerRef(text)
	if err != nil {
		return "", fmt.Errorf("%q is not the name of an image: %w", text, err)
	}
	name := named.String()
	held, err := n.names(ctx)
	if err != nil {
		return "", err
	}
	if !held[name] {
		tell("pulling " + name)
		if err := n.tool.pull(ctx, name, tell); err != nil {
			return "", err
		}
	}
	pinned := images.Image{Name: name, Labels: map[string]string{pinnedLabel: "pinned"}}
	if _, err := n.store.ImageService().Update(namespaces.WithNamespace(ctx, criNamespace), pinned, "labels."+pinnedLabel); err != nil {
		return "", fmt.Errorf("pin %s: %w", name, err)
	}
	return name, nil
}

// readList reads a list of references: one a line; what begins with # is a comment.
func readList(path string) ([]string, error) {
	list, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = list.Close() }()
	var references []string
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line != "" && !strings.HasPrefix(line, "#") {
			references = append(references, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, &refusedError{fmt.Sprintf("the list can not be read: %v", err)}
	}
	return references, nil
}
