// Package arguments turns command lines into the options of Kubernetes components.
//
// Components read many defaults while they parse their flags, so their flags, not
// their option structs, are the stable way to configure them.
package arguments

import (
	"fmt"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
)

// Parse parses a component's arguments into its named flag sets.
func Parse(component string, sets cliflag.NamedFlagSets, args []string) error {
	all := pflag.NewFlagSet(component, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		all.AddFlagSet(set)
	}
	if err := all.Parse(args); err != nil {
		return fmt.Errorf("arguments of %s: %w", component, err)
	}
	return nil
}
