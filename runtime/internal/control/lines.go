package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// maxLineBytes bounds a line of any stream, so that a broken peer can not fill the memory.
const maxLineBytes = 64 * 1024

// ReadEvents calls handle for each event of a stream until it ends. A line that is
// no event is skipped: what follows it is still wanted.
func ReadEvents(stream io.Reader, handle func(Event)) error {
	lines := bufio.NewReaderSize(stream, maxLineBytes)
	for skipping := false; ; {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull:
			skipping = true
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("event stream: %w", err)
		case skipping:
			skipping = false
		default:
			var event Event
			if json.Unmarshal(line, &event) == nil && event.Type != "" {
				handle(event)
			}
		}
	}
}
