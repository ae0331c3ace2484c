package wire

// tooDeep reports whether brackets outside of strings nest beyond MaxDepth,
// before anything is allocated for them.
func tooDeep(data []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString:
			if c == '\\' {
				i++
			} else if c == '"' {
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// sniffJSON looks for the id of a frame that is bad elsewhere. It stops at
// the first error, after which it could find no id.
func sniffJSON(data []byte) string {
	d := borrowDecoder(data, false)
	defer d.giveBack()
	if d.open() != nil {
		return ""
	}
	for {
		name, more, err := d.member()
		if err != nil || !more {
			return ""
		}
		if string(name) != "id" {
			if d.SkipValue() != nil {
				return ""
			}
			continue
		}
		tok, err := d.ReadToken()
		if err != nil || tok.Kind() != '"' {
			return ""
		}
		return usableID(tok.String())
	}
}
