package actors

import "sync"

// workers run calculations that take too long for an actor: a few at a time, the others wait in
// turn. A job answers by sending a message to the actor that gave it. Safe for concurrent use.
type workers struct {
	most, bound int

	mu      sync.Mutex
	running int
	waiting []func() // oldest first, at most bound
	closed  bool
	done    sync.WaitGroup // of the goroutines
}

// maxJobs bounds the jobs that wait.
const maxJobs = 1024

// newWorkers returns workers that run most jobs at once, while up to bound wait.
func newWorkers(most, bound int) *workers { return &workers{most: most, bound: bound} }

// do runs a job soon. It reports false if too many wait already, or after stop: then the job is
// dropped, and the caller asks again later or does without.
func (w *workers) do(job func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed || w.running == w.most && len(w.waiting) == w.bound:
		return false
	case w.running == w.most:
		w.waiting = append(w.waiting, job)
		return true
	}
	w.running++
	w.done.Go(func() { w.run(job) })
	return true
}

// run carries out jobs until none waits.
func (w *workers) run(job func()) {
	for job != nil {
		job()
		job = w.next()
	}
}

// next takes the job that has waited longest; nil: none waits, and the caller ends.
func (w *workers) next() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 || w.closed {
		w.running--
		return nil
	}
	job := w.waiting[0]
	w.waiting[0] = nil
	w.waiting = w.waiting[1:]
	return job
}

// stop drops the jobs that wait, and waits for those that run.
func (w *workers) stop() {
	w.mu.Lock()
	w.closed, w.waiting = true, nil
	w.mu.Unlock()
	w.done.Wait()
}
