module sandkube.dev/bench/images/large

go 1.26.0
