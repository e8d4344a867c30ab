package pull

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
)

const (
	// maxAttempts bounds how often a pull is tried.
	maxAttempts = 4
	// firstDelay is the delay before the second attempt; it doubles with each one.
	firstDelay = time.Second
	// longestRetryAfter is how long a registry's Retry-After is obeyed. Whoever waits for
	// longer is better told.
	longestRetryAfter = 30 * time.Second
	// restartLimit is how long containerd may take to come back.
	restartLimit = time.Minute
)

// untilDone tries until the pull is done, or trying again is no use.
func (p *puller) untilDone(ctx context.Context) (*Result, error) {
	delay := firstDelay
	for attempts := 1; ; attempts++ {
		result, err := p.attempt(ctx)
		if err == nil || ctx.Err() != nil || attempts == maxAttempts {
			return result, err
		}
		wait, because := p.retry(err, delay)
		if because == "" {
			return nil, err
		}
		p.listener.Retry(because, wait)
		if err := p.pause(ctx, wait); err != nil {
			return nil, err
		}
		delay *= 2
	}
}

// retry says why another attempt may help and how long to wait for it; an empty reason: it
// does not help.
func (p *puller) retry(err error, delay time.Duration) (wait time.Duration, because string) {
	var failure *Failure
	if !errors.As(err, &failure) {
		if errdefs.IsUnavailable(err) {
			return delay, "containerd has ended; it is started again"
		}
		return 0, ""
	}
	decisive := failure.decisive()
	wait = max(delay, decisive.RetryAfter())
	if !decisive.Transient || wait > longestRetryAfter {
		return 0, ""
	}
	return wait, decisive.Error()
}

// pause waits, and then until containerd answers.
func (p *puller) pause(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait+restartLimit)
	defer cancel()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := p.client.IsServing(ctx); err != nil {
		return fmt.Errorf("containerd has not come back within %v: %w", restartLimit, err)
	}
	return nil
}
