package podpull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	transferapi "github.com/containerd/containerd/api/types/transfer"
	"github.com/containerd/containerd/v2/core/streaming"
	"github.com/containerd/typeurl/v2"

	"sandkube.dev/upstream/containerd/registryconfig"
)

// answerLimit is how long the holder of a pod's accounts may take to answer.
const answerLimit = 10 * time.Second

// accounts are those for one pull: the pod's own, else that of registries.yaml.
type accounts struct {
	reference string
	given     *dialogue // nil: the pull has none of its own
	onFile    map[string]registryconfig.Account
}

// find fits registryclient.Settings.
func (a *accounts) find(host string) (username, secret string, err error) {
	if a.given != nil {
		username, secret, err = a.given.ask(host, a.reference)
		if err != nil {
			return "", "", fmt.Errorf("the pod's account for %s: %w", host, err)
		}
	}
	if username == "" && secret == "" {
		account := a.onFile[host]
		return account.Username, account.Secret, nil
	}
	return username, secret, nil
}

// dialogue is a stream in memory. At its other end an OCIRegistry answers which account a
// host is told, as its method MarshalAny says.
type dialogue struct {
	ctx       context.Context
	questions chan typeurl.Any
	answers   chan typeurl.Any
	// mu lets one question be asked at a time.
	mu   sync.Mutex
	dead bool
}

func newDialogue(ctx context.Context) *dialogue {
	return &dialogue{ctx: ctx, questions: make(chan typeurl.Any), answers: make(chan typeurl.Any)}
}

// Create implements streaming.StreamCreator: an OCIRegistry has one stream, that for accounts.
func (d *dialogue) Create(context.Context, string) (streaming.Stream, error) { return d, nil }

// Recv implements streaming.Stream for the other end.
func (d *dialogue) Recv() (typeurl.Any, error) {
	select {
	case question := <-d.questions:
		return question, nil
	case <-d.ctx.Done():
		return nil, io.EOF
	}
}

// Send implements streaming.Stream for the other end.
func (d *dialogue) Send(answer typeurl.Any) error {
	select {
	case d.answers <- answer:
		return nil
	case <-d.ctx.Done():
		return io.EOF
	}
}

// Close implements streaming.Stream.
func (d *dialogue) Close() error { return nil }

// ask returns the account for a host.
func (d *dialogue) ask(host, reference string) (username, secret string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	question, err := typeurl.MarshalAny(&transferapi.AuthRequest{Host: host, Reference: reference})
	if err != nil {
		return "", "", err
	}
	answer, err := d.exchange(question)
	if err != nil {
		return "", "", err
	}
	var account transferapi.AuthResponse
	if err := typeurl.UnmarshalTo(answer, &account); err != nil {
		return "", "", err
	}
	return account.GetUsername(), account.GetSecret(), nil
}

// exchange sends a question and waits for the answer. What can not be read is not answered;
// later answers would then be to earlier questions.
func (d *dialogue) exchange(question typeurl.Any) (typeurl.Any, error) {
	if d.dead {
		return nil, errors.New("it can not be read")
	}
	timer := time.NewTimer(answerLimit)
	defer timer.Stop()
	var asked chan<- typeurl.Any = d.questions
	for {
		select {
		case asked <- question:
			asked = nil
		case answer := <-d.answers:
			return answer, nil
		case <-timer.C:
			d.dead = true
			return nil, errors.New("it can not be read")
		case <-d.ctx.Done():
			return nil, d.ctx.Err()
		}
	}
}
