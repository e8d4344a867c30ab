package main

import (
	"fmt"
	"os"

	helm "helm.sh/helm/v4/pkg/cmd"
)

// runHelm runs helm as its own program does, and returns its exit code.
func runHelm(args []string) int {
	command, err := helm.NewRootCmd(os.Stdout, args, helm.SetupLogging)
	if err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		return 1
	}
	command.SetArgs(args)
	if err := command.Execute(); err != nil {
		if failure, ok := err.(helm.CommandError); ok {
			return failure.ExitCode
		}
		return 1
	}
	return 0
}
