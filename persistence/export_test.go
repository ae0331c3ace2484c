package persistence

// AccountColumns are the columns that erasing and export know, as table.column.
func AccountColumns() []string {
	out := make([]string, len(accountKeys))
	for i, k := range accountKeys {
		out[i] = k.table + "." + k.column
	}
	return out
}
