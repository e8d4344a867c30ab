package exposure

import (
	"errors"
	"fmt"
	"log/slog"

	v1 "k8s.io/api/core/v1"

	"golang.org/x/sys/unix"
)

// refusal is a wish that can not be granted.
type refusal struct {
	at    socket
	owner v1.ObjectReference
}

func explain(at socket, err error) string {
	if errors.Is(err, unix.EADDRINUSE) {
		err = errors.New("another program of the sandbox has it")
	}
	where := "of the sandbox"
	if !at.at.Addr().IsUnspecified() {
		where = "at " + at.at.Addr().String()
	}
	return fmt.Sprintf("%s port %d %s can not be had: %v", at.protocol, at.at.Port(), where, err)
}

// report tells what is refused now and was not before, and tries again later.
func (e *Exposure) report(refused map[refusal]string) {
	for key, message := range refused {
		if e.refused[key] == message {
			continue
		}
		e.config.Logger.Warn(message, slog.String("kind", key.owner.Kind), slog.String("namespace", key.owner.Namespace), slog.String("name", key.owner.Name))
		e.config.Report(key.owner, message)
	}
	e.refused = refused
}
