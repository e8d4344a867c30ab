module sandkube.dev/examples/hello

go 1.24
