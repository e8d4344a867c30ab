package main

import (
	"errors"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for index := range 100 {
		hundred = append(hundred, time.Duration(index+1))
	}
	for _, test := range []struct {
		sorted     []time.Duration
		percentage int
		want       time.Duration
	}{
		{nil, 50, 0},
		{[]time.Duration{7}, 50, 7},
		{[]time.Duration{7}, 99, 7},
		{[]time.Duration{1, 2}, 50, 1},
		{[]time.Duration{1, 2, 3}, 50, 2},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{append(hundred, 1000), 99, 100},
	} {
		if got := percentile(test.sorted, test.percentage); got != test.want {
			t.Errorf("percentile %d of %d durations: %v, want %v", test.percentage, len(test.sorted), got, test.want)
		}
	}
}

func TestRecorderCountsFailuresApart(t *testing.T) {
	var all recorder
	all.add(3*time.Microsecond, time.Microsecond, 2*time.Microsecond)
	all.fail(errors.New("first"))
	all.fail(errors.New("second"))
	want := rate{
		Count: 3, Failures: 2, FirstFailure: "first", Seconds: 2, PerSecond: 1.5,
		P50Microseconds: 2, P99Microseconds: 3,
	}
	if got := all.rate(2 * time.Second); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
