// Package version holds the version that is stamped into every program.
package version

// Version is sandkube's own version; the build sets it with -X.
var Version = "0.0.0-dev"
