package supervise

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

func writeStopCommand(pipe io.Writer, grace time.Duration) error {
	line, err := json.Marshal(StopCommand{StopGraceMs: grace.Milliseconds()})
	if err != nil {
		return err
	}
	if _, err := pipe.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("send the command to stop: %w", err)
	}
	return nil
}

// ReadStopCommand waits for the command to stop. The error is io.EOF when the
// supervisor has ended without giving one.
func ReadStopCommand(pipe io.Reader) (grace time.Duration, err error) {
	line, err := bufio.NewReader(pipe).ReadBytes('\n')
	if err != nil {
		return 0, err
	}
	var command StopCommand
	if err := json.Unmarshal(line, &command); err != nil {
		return 0, fmt.Errorf("command to stop: %w", err)
	}
	return time.Duration(command.StopGraceMs) * time.Millisecond, nil
}
