package layerfiles

import "golang.org/x/sys/unix"

// parent is the directory of the entry before.
type parent struct {
	known       bool
	named, path string
	// fd is -1 unless it is open.
	fd int
	// made says of attributes whether a file that is made with them has them at once: that
	// depends on the directory's set-group-ID bit and access control list, and on the umask.
	made map[attributes]bool
}

// is says where a directory is that is named as that of the entry before, and forgets it:
// it is to be kept again.
func (p *parent) is(named string) (path string, known bool) {
	known = p.known && p.named == named
	p.known = false
	if !known {
		p.close()
		return "", false
	}
	return p.path, true
}

func (p *parent) keep(named, path string) { p.known, p.named, p.path = true, named, path }

func (p *parent) open(path string) (err error) {
	if p.fd < 0 {
		p.fd, err = openat(unix.AT_FDCWD, path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		p.made = map[attributes]bool{}
	}
	return err
}

// create makes a file, and says whether it has the attributes that are wanted.
func (p *parent) create(name string, wanted attributes, mayHaveThem bool) (fd int, hasThem bool, err error) {
	hasThem, isKnown := p.made[wanted]
	mode := uint32(0o600)
	if mayHaveThem && (hasThem || !isKnown) {
		mode = wanted.mode
	}
	fd, err = openat(p.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, mode)
	if err != nil || isKnown || !mayHaveThem {
		return fd, hasThem, err
	}
	found, err := attributesOf(fd)
	if err != nil {
		_ = unix.Close(fd)
		return -1, false, err
	}
	p.made[wanted] = found == wanted
	return fd, found == wanted, nil
}

func (p *parent) close() {
	if p.fd >= 0 {
		_ = unix.Close(p.fd)
	}
	p.fd = -1
}

func openat(directory int, name string, flags int, mode uint32) (fd int, err error) {
	for {
		if fd, err = unix.Openat(directory, name, flags, mode); err != unix.EINTR {
			return fd, err
		}
	}
}
