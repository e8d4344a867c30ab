package supervise

import (
	"context"
	"net"
	"time"

	"sandkube.dev/runtime/internal/control"
)

const socketPoll = 20 * time.Millisecond

// probeSocket reports a role ready when its socket accepts a connection. The wait
// ends with the role's process, which must call the returned function.
func probeSocket(role *Role, begun time.Time, sink Sink) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	service := role.Service
	if service == "" {
		service = role.Name
	}
	sink(role.Name, control.Event{Type: control.Service, Service: service, State: control.Starting})
	go func() {
		ticks := time.NewTicker(socketPoll)
		defer ticks.Stop()
		for {
			if connection, err := net.Dial("unix", role.Socket); err == nil {
				_ = connection.Close()
				if ctx.Err() == nil {
					sink(role.Name, control.ServiceEvent(service, control.Ready, time.Since(begun), ""))
					sink(role.Name, control.Event{Type: control.RoleReady})
				}
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
		}
	}()
	return cancel
}
