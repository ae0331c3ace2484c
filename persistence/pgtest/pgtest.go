package pgtest
import "testing"
func Start(tb testing.TB) string { tb.Skip("x"); return "" }
