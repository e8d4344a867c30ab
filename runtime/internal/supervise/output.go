package supervise

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"time"
)

// drainLimit is how long the last output of an ended process is waited for. It is
// there already unless a child of the process keeps the pipe open.
const drainLimit = 500 * time.Millisecond

// outputPump copies what a process writes to its log, and keeps the last of it.
type outputPump struct {
	tail tail
	done chan struct{}
}

// pump reads the pipe until all its writers are gone, and closes it.
func pump(pipe *os.File, log io.Writer) *outputPump {
	p := &outputPump{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		defer pipe.Close()
		p.copy(pipe, log)
	}()
	return p
}

func (p *outputPump) copy(pipe io.Reader, log io.Writer) {
	lines := bufio.NewReaderSize(pipe, 32*1024)
	for {
		// A line longer than the buffer is taken in parts.
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			// A full disk must not stop the process, which would block on a full pipe.
			_, _ = log.Write(line)
			p.tail.add(bytes.TrimRight(line, "\r\n"))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// waitDrained waits, but not for long, until a pipe of an ended process has been read to its end.
func waitDrained(done <-chan struct{}) {
	timer := time.NewTimer(drainLimit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
