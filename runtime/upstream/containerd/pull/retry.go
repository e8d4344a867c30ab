package pull

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sandkube.dev/upstream/containerd/refusal"
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
	// answerLimit is how long containerd may take to say who it is.
	answerLimit = 5 * time.Second
)

// untilDone tries until the pull is done, or trying again is no use.
func (p *puller) untilDone(ctx context.Context) (*Result, error) {
	delay := firstDelay
	for attempts := 1; ; attempts++ {
		server, err := p.server(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask containerd: %w", err)
		}
		result, err := p.attempt(ctx)
		if err == nil || ctx.Err() != nil || attempts == maxAttempts {
			return result, err
		}
		wait, because := p.retry(ctx, err, server, delay)
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
func (p *puller) retry(ctx context.Context, err error, server uint64, delay time.Duration) (wait time.Duration, because string) {
	var refused *refusal.Refusal
	if !errors.As(err, &refused) || refused.Kind != refusal.Registry {
		if p.isLost(ctx, server) {
			return delay, "containerd has ended; it is started again"
		}
		return 0, ""
	}
	decisive := refused.Decisive()
	wait = max(delay, decisive.RetryAfter())
	if !decisive.Transient || wait > longestRetryAfter {
		return 0, ""
	}
	return wait, decisive.Error()
}

// server is the process that containerd runs as.
func (p *puller) server(ctx context.Context) (uint64, error) {
	response, err := p.client.IntrospectionService().Server(ctx)
	if err != nil {
		return 0, err
	}
	return response.Pid, nil
}

// isLost says whether containerd does not run any more as the process that it was. What a
// lost connection makes of a call in progress is not always an error that says so.
func (p *puller) isLost(ctx context.Context, server uint64) bool {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	now, err := p.server(ctx)
	return err != nil || now != server
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
