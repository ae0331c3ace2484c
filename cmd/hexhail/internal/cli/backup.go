package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/backup"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
)

type backupCmd struct {
	config.Config `embed:""`

	To    string `arg:"" name:"file" help:"The file to write; - writes to standard output."`
	Force bool   `help:"Replace the file if it exists."`
}

// Run is called by kong.
func (b *backupCmd) Run(in *call) error {
	if err := in.source.CompleteBeside(&b.Config); err != nil {
		return err
	}
	ctx, show := in.long()
	defer show.end()
	o := backup.Options{Force: b.Force, Program: Version(), Progress: show.step}
	if b.To == "-" {
		if isTerminal(in.env.Stdout) {
			return errors.New("cannot write a backup to a terminal: name a file, or redirect standard output")
		}
		r, err := in.parts.streamBackup(ctx, &b.Config, in.env.Stdout, o)
		show.end()
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		tell(in.env.Stderr, r, "The backup was written")
		return nil
	}
	r, err := in.parts.backup(ctx, &b.Config, b.To, o)
	show.end()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	tell(in.env.Stdout, r, "The backup was written to "+b.To+" and read again")
	fmt.Fprintln(in.env.Stdout, "It holds everyone's data and the key that signs tokens: keep it where only you can read it.")
	return nil
}

type restoreCmd struct {
	config.Config `embed:""`

	From  string `arg:"" name:"file" help:"The backup; - reads from standard input."`
	Force bool   `help:"Replace existing data. Those of an embedded database are kept beside the new ones; in Postgres they are lost."`
	Check bool   `help:"Only verify the backup. Changes nothing."`
}

// Run is called by kong.
func (r *restoreCmd) Run(in *call) error {
	if err := in.source.CompleteBeside(&r.Config); err != nil {
		return err
	}
	from, name := in.env.Stdin, "the standard input"
	if r.From != "-" {
		f, err := os.Open(r.From)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		defer f.Close()
		from, name = f, r.From
	}
	ctx, show := in.long()
	defer show.end()
	o := backup.Options{Force: r.Force, Program: Version(), Progress: show.step}
	if r.Check {
		report, err := in.parts.checkBackup(ctx, from, o)
		show.end()
		if err != nil {
			return fmt.Errorf("check %s: %w", name, err)
		}
		tell(in.env.Stdout, report, "The backup is whole")
		return nil
	}
	report, err := in.parts.restore(ctx, &r.Config, from, o)
	show.end()
	if err != nil {
		return fmt.Errorf("restore %s: %w", name, err)
	}
	tell(in.env.Stdout, report, "The backup was restored")
	if len(report.Replaced) > 0 {
		fmt.Fprintf(in.env.Stdout, "What was there before is kept in %s: delete it when you no longer need it.\n", strings.Join(report.Replaced, ", "))
	}
	fmt.Fprintln(in.env.Stdout, "Start the server: hexhail serve")
	return nil
}

// tell prints what a report says.
func tell(w io.Writer, r backup.Report, done string) {
	fmt.Fprintf(w, "%s, %s in %s.\n", done, mebibytes(r.Size), r.Took.Round(10*time.Millisecond))
	fmt.Fprintf(w, "State of %s, %s, schema %d: %s, %s, %s.\n", r.MadeAt.UTC().Format(time.RFC3339), r.Engine, r.Schema,
		count(int(r.Rows["accounts"]), "account"), count(int(r.Rows["trips"]), "trip"), count(int(r.Rows["photos"]), "photo"))
	if known := persistence.NewestSchema(); r.Schema > known {
		fmt.Fprintf(w, "It needs a program that knows schema %d or newer; this one knows schema %d.\n", cmp.Or(r.Oldest, r.Schema), known)
	}
	if r.NoKey {
		fmt.Fprintln(w, "It holds no signing key, because there was none: people have to sign in again after a restore.")
	}
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// long is for a command that takes its time: a signal ends it, and a terminal shows how far
// it is. The caller calls end, at least once.
func (in *call) long() (context.Context, *progress) {
	ctx, cancel := context.WithCancel(in.ctx)
	p := &progress{cancel: cancel}
	if isTerminal(in.env.Stderr) {
		p.w = in.env.Stderr
	}
	go func() {
		select {
		case <-in.env.Signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress is one line on a terminal.
type progress struct {
	w      io.Writer // nil: no terminal
	cancel context.CancelFunc
	next   time.Time
	shown  bool
	last   string
}

// progressEvery is the time between two changes of the line.
const progressEvery = 100 * time.Millisecond

func (p *progress) step(step string, done, total int64) {
	now := time.Now()
	if p.w == nil || now.Before(p.next) && step == p.last {
		return
	}
	p.next, p.shown, p.last = now.Add(progressEvery), true, step
	switch {
	case total > 0:
		fmt.Fprintf(p.w, "\r\x1b[K%s: %s of %s", step, mebibytes(done), mebibytes(total))
	case done > 0:
		fmt.Fprintf(p.w, "\r\x1b[K%s: %s", step, mebibytes(done))
	default:
		fmt.Fprintf(p.w, "\r\x1b[K%s", step)
	}
}

// end clears the line and ends the wait for signals.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
	p.cancel()
}
