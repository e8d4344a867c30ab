package exposure

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

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
	return fmt.Sprintf("%s port %d of the sandbox can not be had: %v", at.protocol, at.at.Port(), err)
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
	if e.retry != nil {
		e.retry.Stop()
		e.retry = nil
	}
	if len(refused) > 0 {
		e.retry = time.AfterFunc(retryInterval, e.tryAgain)
	}
}

func (e *Exposure) tryAgain() {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.running.Err() != nil {
		return
	}
	refused := e.openWanted()
	for key, message := range e.refused {
		// Clashes between wishes end by Apply only.
		if e.wishes[key.at].owner != key.owner {
			refused[key] = message
		}
	}
	e.report(refused)
}
