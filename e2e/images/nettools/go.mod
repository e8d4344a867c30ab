module sandkube.dev/e2e/fetch

go 1.24
