module sandkube.dev/e2e/images/nettools

go 1.26.0
