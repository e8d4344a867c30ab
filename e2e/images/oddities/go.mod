module sandkube.dev/e2e/images/oddities

go 1.26.0
