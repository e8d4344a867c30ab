package services

import (
	"log/slog"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
)

// reporter tells users of Problems, once for as long as a Problem lasts.
type reporter struct {
	events   record.EventRecorder
	log      *slog.Logger
	reported map[Problem]struct{}
}

func newReporter(events record.EventRecorder, log *slog.Logger) *reporter {
	return &reporter{events: events, log: log}
}

// report takes all Problems that there are now.
func (r *reporter) report(problems []Problem) {
	current := make(map[Problem]struct{}, len(problems))
	for _, problem := range problems {
		_, again := current[problem]
		_, known := r.reported[problem]
		current[problem] = struct{}{}
		if again || known {
			continue
		}
		r.log.Warn("not served", "kind", problem.Object.Kind, "namespace", problem.Object.Namespace,
			"name", problem.Object.Name, "reason", problem.Reason, "message", problem.Message)
		r.events.Event(&problem.Object, v1.EventTypeWarning, problem.Reason, problem.Message)
	}
	r.reported = current
}
