package imagedirectory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// maxAttempts is how often a file is tried whose failure is not its own, such as that of a
// containerd that is being restarted.
const maxAttempts = 3

// watch brings in the files of one kind.
type watch struct {
	directory string
	accepts   func(name string) bool
	record    *record
	news      *bulletin
	// bring brings a file in and returns the names of its images, those too that came
	// before an error.
	bring func(ctx context.Context, f file, tell func(progress string)) ([]string, error)

	// missing says that there was no directory at the last look.
	missing bool
	seen    sightings
	// failed are the files that could not be brought in, as they were then.
	failed map[string]failure
	// unreadable is what the last look at the directory ended with.
	unreadable string
}

type failure struct {
	stamp
	attempts int
	final    bool
}

// untilSettled brings in what is there, and waits a little for what is being written.
func (w *watch) untilSettled(ctx context.Context) {
	limit := time.Now().Add(holdLimit)
	for w.pass(ctx) && time.Now().Before(limit) {
		if !pause(ctx, firstInterval) {
			return
		}
	}
}

// follow looks at the directory until ctx is done.
func (w *watch) follow(ctx context.Context) {
	for {
		w.pass(ctx)
		delay := lookInterval
		if w.missing {
			delay = missingInterval
		}
		if !pause(ctx, delay) {
			return
		}
	}
}

// pass brings in what is new, and says whether some files are not settled yet.
func (w *watch) pass(ctx context.Context) (unsettled bool) {
	if w.seen == nil {
		w.seen, w.failed = sightings{}, map[string]failure{}
	}
	files, err := look(w.directory, w.accepts)
	if w.missing = errors.Is(err, fs.ErrNotExist); w.missing {
		err = nil
	}
	w.noteLook(err)
	if err != nil {
		return false
	}
	w.forget(files)
	var due []file
	for _, f := range files {
		last, hasFailed := w.failed[f.name]
		switch {
		case w.record.has(f), hasFailed && last.final && last.equal(f.stamp):
		case !w.seen.settled(f, time.Now()):
			unsettled = true
		default:
			due = append(due, f)
		}
	}
	for number, f := range due {
		if ctx.Err() != nil {
			return unsettled
		}
		w.bringIn(ctx, f, fmt.Sprintf("%d of %d", number+1, len(due)))
	}
	w.news.setProgress("")
	return unsettled
}

func (w *watch) noteLook(err error) {
	message := ""
	if err != nil {
		message = err.Error()
	}
	if message != w.unreadable {
		w.unreadable = message
		w.news.setProblem(w.directory, message)
	}
}

// forget drops what is known of files that are gone.
func (w *watch) forget(files []file) {
	w.seen.keep(files)
	for name := range w.failed {
		if _, seen := w.seen[name]; !seen {
			delete(w.failed, name)
			w.news.setProblem(name, "")
		}
	}
	if err := w.record.keep(files); err != nil {
		w.news.log.Error(err, "The record of imported files can not be written")
	}
}

func (w *watch) bringIn(ctx context.Context, f file, position string) {
	begun := time.Now()
	images, err := w.bring(ctx, f, func(progress string) {
		w.news.setProgress(fmt.Sprintf("%s (%s): %s", f.name, position, progress))
	})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.noteFailure(f, err)
		return
	}
	delete(w.failed, f.name)
	w.news.setProblem(f.name, "")
	w.news.log.Info("Imported", "file", f.path, "images", images, "seconds", time.Since(begun).Round(10*time.Millisecond).Seconds())
	if err := w.record.add(f, images); err != nil {
		w.news.log.Error(err, "The record of imported files can not be written")
	}
	w.news.setImported()
}

func (w *watch) noteFailure(f file, err error) {
	now := failure{stamp: f.stamp, attempts: 1}
	if last, failedBefore := w.failed[f.name]; failedBefore && last.equal(f.stamp) {
		now.attempts += last.attempts
	}
	var refused *refusedError
	now.final = errors.As(err, &refused) || now.attempts >= maxAttempts
	w.failed[f.name] = now
	w.news.log.Error(err, "A file of the images directory can not be used", "file", f.path)
	w.news.setProblem(f.name, err.Error())
}

// pause waits, and says whether there is a reason to go on.
func pause(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
