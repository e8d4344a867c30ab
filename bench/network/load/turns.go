package main

import (
	"errors"
	"flag"
	"slices"
	"time"
)

// targetsFlag takes the targets of a comparison, in order.
func targetsFlag(flags *flag.FlagSet) *[]string {
	var targets []string
	flags.Func("target", "`HOST:PORT` of a server; several are measured in turns", func(target string) error {
		targets = append(targets, target)
		return nil
	})
	return &targets
}

func turnFlags(flags *flag.FlagSet) (turns *int, duration *time.Duration) {
	turns = flags.Int("turns", 1, "how `often` to measure each target")
	duration = flags.Duration("duration", time.Second, "how long to measure each time")
	return turns, duration
}

// takeTurns measures all targets again and again. Every other turn begins with the last
// one, so that none always comes first.
func takeTurns(targets []string, turns int, measure func(target string) error) error {
	if len(targets) == 0 {
		return errors.New("no target")
	}
	order := slices.Clone(targets)
	for range turns {
		for _, target := range order {
			if err := measure(target); err != nil {
				return err
			}
		}
		slices.Reverse(order)
	}
	return nil
}
