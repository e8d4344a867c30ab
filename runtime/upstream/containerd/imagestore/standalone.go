package imagestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"

	"sandkube.dev/upstream/containerd/refusal"
)

// BuildArchive makes an image of local files as an archive, without a node: on "scratch"
// or on the only image of another archive. What it needs meanwhile lies beside the output.
func BuildArchive(ctx context.Context, recipe Recipe, progress *Progress) (built Built, err error) {
	name, err := NormalizeName(recipe.Name)
	if err != nil {
		return Built{}, err
	}
	if err := recipe.validate(); err != nil {
		return Built{}, err
	}
	if recipe.Output == "" {
		return Built{}, refusal.New(refusal.Usage, "there is no output for the archive")
	}
	workspace, err := newWorkspace(filepath.Dir(recipe.Output))
	if err != nil {
		return Built{}, explainSave(recipe.Output, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(workspace)) }()
	content, err := local.NewStore(workspace)
	if err != nil {
		return Built{}, explainSave(recipe.Output, err)
	}
	store := &Store{content: content, platform: platforms.Default(), progress: progress}
	base, err := store.baseArchive(ctx, recipe.Base)
	if err != nil {
		return Built{}, err
	}
	return store.buildOutput(ctx, name, recipe, base)
}

// baseArchive is the only image of an archive, or nothing.
func (s *Store) baseArchive(ctx context.Context, path string) (*examined, error) {
	if path == scratch {
		return emptyBase(), nil
	}
	found, err := s.read(ctx, path)
	if err != nil {
		return nil, err
	}
	candidates, err := s.candidates(ctx, found)
	if err != nil {
		return nil, err
	}
	if len(candidates) != 1 {
		return nil, refusal.New(refusal.Usage, "the archive %s holds %d images, so that it can not be a base", path, len(candidates))
	}
	return s.examine(ctx, candidates[0].target)
}

const workspacePrefix = ".sandkube-image-"

// newWorkspace makes a directory in another one, and removes those there whose processes
// were killed.
func newWorkspace(in string) (string, error) {
	left, err := filepath.Glob(filepath.Join(in, workspacePrefix+"*"))
	if err != nil {
		return "", err
	}
	for _, one := range left {
		label, found := strings.CutSuffix(strings.TrimPrefix(filepath.Base(one), workspacePrefix), ".d")
		if !found || ownerOf(label).isAlive() {
			continue
		}
		if err := os.RemoveAll(one); err != nil {
			return "", fmt.Errorf("remove what an earlier command left: %w", err)
		}
	}
	owner, err := currentOwner()
	if err != nil {
		return "", err
	}
	workspace := filepath.Join(in, workspacePrefix+owner.String()+".d")
	return workspace, os.Mkdir(workspace, 0o700)
}
