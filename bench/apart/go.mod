module sandkube.dev/runtime/apart

go 1.26.3

replace sandkube.dev/runtime => ../../runtime

require sandkube.dev/runtime v0.0.0-00010101000000-000000000000

require golang.org/x/sys v0.47.0 // indirect
