package persistence

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Cause is a stable word for why the database does not do people's work.
type Cause string

// The causes. CauseNone means that it does.
const (
	CauseNone        Cause = ""
	CauseReadOnly    Cause = "read_only"
	CauseDiskFull    Cause = "disk_full"
	CauseDiskError   Cause = "disk_error"
	CauseDenied      Cause = "denied"
	CauseUnreachable Cause = "unreachable"
	CauseNoAnswer    Cause = "no_answer"
	CauseLocked      Cause = "locked"
	CauseRejected    Cause = "rejected"
	CauseDamaged     Cause = "damaged"
	CauseMoved       Cause = "moved"
	CauseSlow        Cause = "slow"
)

var sentences = map[Cause]string{
	CauseReadOnly:    "The database takes no writes: it is read-only, or a standby.",
	CauseDiskFull:    "The database's disk is full.",
	CauseDiskError:   "The database's disk reports errors.",
	CauseDenied:      "The database refuses this account, or the files may not be opened.",
	CauseUnreachable: "The database cannot be reached.",
	CauseNoAnswer:    "The database does not answer in time.",
	CauseLocked:      "Another program holds a lock that writes need.",
	CauseRejected:    "The database rejects every write; a pooler in between, a changed schema or another version may be why.",
	CauseDamaged:     "The database is damaged.",
	CauseMoved:       "The database's file is no longer at its path: what is written now is lost at the next start.",
	CauseSlow:        "The database answers slowly.",
}

// Causes lists every cause but CauseNone.
func Causes() []Cause {
	out := make([]Cause, 0, len(sentences))
	for c := range sentences {
		out = append(out, c)
	}
	return out
}

// Sentence says what the cause means; empty for CauseNone.
func (c Cause) Sentence() string { return sentences[c] }

// cause names what an error of Postgres means; the classes are those of its manual.
func (e *postgresEngine) cause(err error) Cause {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		if errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
			return CauseNoAnswer
		}
		return CauseUnreachable
	}
	switch pe.Code {
	case "25006":
		return CauseReadOnly
	case "53100":
		return CauseDiskFull
	case "42501":
		return CauseDenied
	case "57014":
		return CauseNoAnswer // its statement timeout is ours
	case "55P03":
		return CauseLocked
	}
	switch pe.Code[:2] {
	case "28", "3D":
		return CauseDenied
	case "40":
		return CauseLocked
	case "08", "53", "57":
		return CauseUnreachable // it turns connections away, or ends them
	case "58":
		return CauseDiskError
	case "XX":
		return CauseDamaged
	}
	return CauseRejected
}

// cause names what an error of SQLite means. An error of the disk names no reason, so the
// disk is asked.
func (e *sqliteEngine) cause(err error) Cause {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return CauseNoAnswer
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return CauseDiskFull
	case sqlite3.SQLITE_READONLY:
		return CauseReadOnly
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return CauseLocked
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return CauseDamaged
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return askDisk(filepath.Dir(e.path))
	}
	return CauseRejected
}

// askDisk tries to write a file of one block in a directory.
func askDisk(dir string) Cause {
	f, err := os.CreateTemp(dir, ".hexhail-write-check-*")
	if err == nil {
		_, err = f.Write(make([]byte, 4096))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	switch {
	case errors.Is(err, syscall.EROFS):
		return CauseReadOnly
	case errors.Is(err, os.ErrPermission):
		return CauseDenied
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EDQUOT):
		return CauseDiskFull
	}
	return CauseDiskError
}
