package pbf

import (
	"errors"
	"fmt"
	"io"
)

// ReadHeader reads what a file says about itself, and not what follows. The errors are those of Read.
func ReadHeader(r io.Reader) (Header, error) {
	var d decoder
	b := blobs{r: r}
	kind, data, err := b.next(true)
	switch {
	case errors.Is(err, io.EOF):
		return Header{}, fmt.Errorf("%w: it is empty", ErrNotPBF)
	case err != nil:
		return Header{}, err
	case kind != "OSMHeader":
		return Header{}, fmt.Errorf("%w: it does not begin with a header", ErrNotPBF)
	}
	if err := d.readHeader(data); err != nil {
		return Header{}, err
	}
	return d.header, nil
}
