package nodecerts

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

type file struct {
	path string
	data []byte
	mode fs.FileMode
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// store writes files in order, each whole or not at all. Unless they replace others, either all are
// new or none is written. Between the two of a replaced pair, nodes keep the former pair.
func store(replace bool, files ...file) error {
	for i, f := range files {
		err := f.write(replace)
		if err == nil {
			continue
		}
		if !replace {
			for _, written := range files[:i] {
				_ = os.Remove(written.path)
			}
		}
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", f.path, fs.ErrExist) // without the temporary name
		}
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// write puts a complete file beside the path and links it there: the link fails if the name exists,
// and no reader ever sees half of it.
func (f file) write(replace bool) error {
	t, err := os.CreateTemp(filepath.Dir(f.path), ".hexhail-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(t.Name()) }() // linked or renamed by then, or of no use
	_, err = t.Write(f.data)
	if err = errors.Join(err, t.Chmod(f.mode), t.Sync(), t.Close()); err != nil {
		return err
	}
	if replace {
		return os.Rename(t.Name(), f.path)
	}
	return os.Link(t.Name(), f.path)
}
