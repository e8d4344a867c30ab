package imagedirectory

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// archiveEndings are of the names of archives that the node can read.
var archiveEndings = []string{".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".tzst"}

// isArchive and isList tell the files that mean something by their names; hidden ones are
// often unfinished, as those of rsync are.
func isArchive(name string) bool {
	return slices.ContainsFunc(archiveEndings, func(ending string) bool { return hasEnding(name, ending) })
}

func isList(name string) bool { return hasEnding(name, ".txt") }

func hasEnding(name, ending string) bool {
	return strings.HasSuffix(name, ending) && !strings.HasPrefix(name, ".")
}

// stamp changes when a file does.
type stamp struct {
	SizeBytes int64     `json:"sizeBytes"`
	Modified  time.Time `json:"modified"`
}

func (s stamp) equal(other stamp) bool {
	return s.SizeBytes == other.SizeBytes && s.Modified.Equal(other.Modified)
}

// file is one of the directory.
type file struct {
	name, path string
	stamp
}

// look lists the directory's files with names that are accepted, by name. The error is
// fs.ErrNotExist where there is no directory.
func look(directory string, accepts func(name string) bool) ([]file, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, entry := range entries {
		if !accepts(entry.Name()) {
			continue
		}
		path := filepath.Join(directory, entry.Name())
		// Links are followed. What is gone by now is not there.
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		files = append(files, file{name: entry.Name(), path: path, stamp: stamp{SizeBytes: info.Size(), Modified: info.ModTime()}})
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return files, nil
}

// sighting is a file as it was when it was first seen in its present state.
type sighting struct {
	stamp
	at time.Time
}

// sightings tell by name since when files have been as they are.
type sightings map[string]sighting

// settled says whether a file is likely to be whole: it was last written some time ago, by
// its own time or, where that is of another clock, because it has been seen unchanged.
func (s sightings) settled(f file, now time.Time) bool {
	last, seen := s[f.name]
	if !seen || !last.equal(f.stamp) {
		last = sighting{stamp: f.stamp, at: now}
		s[f.name] = last
	}
	return now.Sub(f.Modified) >= settleTime || now.Sub(last.at) >= settleTime
}

// keep forgets the files that are gone.
func (s sightings) keep(files []file) {
	for name := range s {
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == name }) {
			delete(s, name)
		}
	}
}
