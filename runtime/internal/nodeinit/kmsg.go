package nodeinit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const kmsg = "/dev/kmsg"

// mountKmsg puts an empty file where the kubelet looks for the kernel's messages.
func (p *preparation) mountKmsg() error {
	if !p.spec.Node.StandIns.Kmsg {
		return nil
	}
	_, err := os.Lstat(kmsg)
	if errors.Is(err, fs.ErrNotExist) {
		if err := p.replicate(filepath.Dir(kmsg)); err != nil {
			return err
		}
		return os.WriteFile(kmsg, nil, 0o644)
	}
	if err != nil {
		return err
	}
	stub := p.spec.NodePath("standins", "kmsg")
	if err := os.MkdirAll(filepath.Dir(stub), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(stub, nil, 0o644); err != nil {
		return err
	}
	return bind(stub, kmsg)
}
