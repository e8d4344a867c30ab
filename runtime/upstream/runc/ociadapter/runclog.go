package ociadapter

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// appendLog writes an error to the file of runc's --log option, in runc's own
// format: containerd shows the last entry of level "error" as the reason when runc
// exits with a status other than 0.
func (c *commandLine) appendLog(failure error) error {
	if c.log == "" {
		return nil
	}
	now := time.Now().Format(time.RFC3339)
	entry := fmt.Sprintf("time=%q level=error msg=%q\n", now, failure)
	if c.logFormat == "json" {
		encoded, err := json.Marshal(map[string]string{"level": "error", "msg": failure.Error(), "time": now})
		if err != nil {
			return fmt.Errorf("encode log entry: %w", err)
		}
		entry = string(encoded) + "\n"
	}
	file, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_SYNC, 0o644)
	if err != nil {
		return fmt.Errorf("runc's log: %w", err)
	}
	defer file.Close()
	if _, err := file.WriteString(entry); err != nil {
		return fmt.Errorf("runc's log: %w", err)
	}
	return nil
}
