// The validation tests of the Container Runtime Interface, with what their own go.mod pins.
module sandkube.dev/conformance/critest

go 1.26.2

require sigs.k8s.io/cri-tools v1.36.0 // indirect
