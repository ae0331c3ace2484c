package servertls

import (
	"log/slog"
	"maps"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapTo gives certmagic a logger whose errors come out of ours. What it says below that is about
// single steps.
func zapTo(log *slog.Logger) *zap.Logger { return zap.New(zapCore{log: log}) }

// zapCore is a zapcore.Core over slog.
type zapCore struct {
	log    *slog.Logger
	fields []zapcore.Field
}

// Enabled implements zapcore.Core.
func (zapCore) Enabled(l zapcore.Level) bool { return l >= zapcore.ErrorLevel }

// With implements zapcore.Core.
func (c zapCore) With(fields []zapcore.Field) zapcore.Core {
	return zapCore{c.log, append(c.fields[:len(c.fields):len(c.fields)], fields...)}
}

// Check implements zapcore.Core.
func (c zapCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

// Write implements zapcore.Core. An error of certmagic's is a warning here: it tries again.
func (c zapCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	values := zapcore.NewMapObjectEncoder()
	for _, f := range append(c.fields[:len(c.fields):len(c.fields)], fields...) {
		f.AddTo(values)
	}
	args := make([]any, 0, 2*len(values.Fields))
	for key := range maps.Keys(values.Fields) {
		args = append(args, key, values.Fields[key])
	}
	c.log.Warn("certificates for clients: "+e.Message, args...)
	return nil
}

// Sync implements zapcore.Core.
func (zapCore) Sync() error { return nil }
