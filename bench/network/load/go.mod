module sandkube.dev/bench/network/load

go 1.26.0
