package supervise

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// defaultLogBytes is the size at which a log file is put aside.
const defaultLogBytes = 10 << 20

// logFile is a file that is appended to, and put aside under the name with ".1"
// added when it has reached its size. It may be used by several goroutines.
type logFile struct {
	path      string
	sizeLimit int64

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLogFile(path string) (*logFile, error) {
	l := &logFile{path: path, sizeLimit: defaultLogBytes}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("log file: %w", err), file.Close())
	}
	l.file, l.size = file, info.Size()
	return nil
}

// Write appends p as a whole to one file.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.sizeLimit {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

func (l *logFile) rotate() error {
	if err := os.Rename(l.path, l.path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("put the log file aside: %w", err)
	}
	old := l.file
	if err := l.open(); err != nil {
		return err
	}
	return old.Close()
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
