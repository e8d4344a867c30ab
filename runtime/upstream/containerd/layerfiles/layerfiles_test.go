package layerfiles

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func create(t *testing.T, files *Files, directory string, header tar.Header, content string) (bool, error) {
	t.Helper()
	header.Size = int64(len(content))
	return files.Create(t.Context(), Entry{
		Header: &header, Content: strings.NewReader(content),
		Directory: "given/", Path: filepath.Join(directory, header.Name),
		Accessed: time.Unix(2_000, 5), Modified: time.Unix(1_000, 7),
	})
}

func TestCreate(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	ordinary, setGID := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Chown(setGID, 0, 5678), os.Chmod(setGID, 0o755|os.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("0123456789", writeBytes/5)
	cases := map[string]struct {
		directory string
		mode      int64
		uid, gid  int
		content   string
	}{
		"as it is made":                 {ordinary, 0o644, 0, 0, "one"},
		"a mode that the umask forbids": {ordinary, 0o666, 0, 0, "two"},
		"of somebody else":              {ordinary, 0o640, 1234, 5678, "three"},
		"set-user-ID":                   {ordinary, 0o4755, 1234, 0, "four"},
		"not to be read":                {ordinary, 0o000, 0, 0, "five"},
		"empty":                         {ordinary, 0o644, 0, 0, ""},
		"large":                         {ordinary, 0o644, 0, 0, large},
		"where groups are inherited":    {setGID, 0o644, 0, 0, "six"},
	}
	for what, one := range cases {
		t.Run(what, func(t *testing.T) {
			files := New()
			defer files.Close()
			// What has been found out about the first file is used for the second.
			for _, name := range []string{what + " 1", what + " 2"} {
				header := tar.Header{Name: name, Mode: one.mode, Uid: one.uid, Gid: one.gid}
				if created, err := create(t, files, one.directory, header, one.content); !created || err != nil {
					t.Fatalf("created: %t, %v", created, err)
				}
				path := filepath.Join(one.directory, name)
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				stat := info.Sys().(*syscall.Stat_t)
				if int64(stat.Mode&0o7777) != one.mode || int(stat.Uid) != one.uid || int(stat.Gid) != one.gid {
					t.Errorf("it is %o of %d:%d", stat.Mode&0o7777, stat.Uid, stat.Gid)
				}
				if stat.Atim != (syscall.Timespec{Sec: 2_000, Nsec: 5}) || stat.Mtim != (syscall.Timespec{Sec: 1_000, Nsec: 7}) {
					t.Errorf("its times are %v and %v", stat.Atim, stat.Mtim)
				}
				if content, err := os.ReadFile(path); err != nil || string(content) != one.content {
					t.Errorf("it has %d bytes, %v", len(content), err)
				}
			}
		})
	}
}

func TestCreateLeavesToOthers(t *testing.T) {
	directory := t.TempDir()
	if err := os.Symlink("/nowhere", filepath.Join(directory, "link")); err != nil {
		t.Fatal(err)
	}
	files := New()
	defer files.Close()
	capable := tar.Header{Name: "capable", Mode: 0o755, PAXRecords: map[string]string{xattrPrefix + "security.capability": "x"}}
	for what, header := range map[string]tar.Header{"what there is already": {Name: "link", Mode: 0o644}, "extended attributes": capable} {
		unread := bytes.NewBufferString("content")
		entry := Entry{Header: &header, Content: unread, Directory: "given/", Path: filepath.Join(directory, header.Name)}
		if created, err := files.Create(t.Context(), entry); created || err != nil || unread.Len() == 0 {
			t.Errorf("%s: created: %t, %v, %d bytes unread", what, created, err, unread.Len())
		}
	}
	if _, err := os.Lstat(filepath.Join(directory, "capable")); !os.IsNotExist(err) {
		t.Errorf("the file with extended attributes: %v", err)
	}
}

func TestCreateTellsOfWhatIsCutOff(t *testing.T) {
	files := New()
	defer files.Close()
	header := tar.Header{Name: "file", Mode: 0o644, Size: 10}
	entry := Entry{Header: &header, Content: strings.NewReader("short"), Path: filepath.Join(t.TempDir(), "file")}
	if _, err := files.Create(t.Context(), entry); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("it says %v", err)
	}
}

func TestParent(t *testing.T) {
	directory := t.TempDir()
	files := New()
	defer files.Close()
	if _, known := files.Parent("given/"); known {
		t.Error("it is known before any file")
	}
	if _, err := create(t, files, directory, tar.Header{Name: "file", Mode: 0o644, Uid: os.Geteuid(), Gid: os.Getegid()}, "x"); err != nil {
		t.Fatal(err)
	}
	if path, known := files.Parent("given/"); !known || path != directory {
		t.Errorf("it is %q, %t", path, known)
	}
	if _, known := files.Parent("given/"); known {
		t.Error("it is known although the entry before was no file")
	}
}
