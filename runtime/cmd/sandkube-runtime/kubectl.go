package main

import (
	"os"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // credential plugins of kubeconfigs
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

// runKubectl does what upstream's own program does (cmd/kubectl), so that errors read
// alike. args begin with the program's name. It ends the process on an error.
func runKubectl(args []string) int {
	os.Args = args
	_, _ = logs.GlogSetter(cmd.GetLogVerbosity(args))
	util.CheckErr(cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()))
	return 0
}
