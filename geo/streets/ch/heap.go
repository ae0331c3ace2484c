package ch

// item is an entry of a heap: a cost and what it belongs to.
type item struct{ key, of int32 }

// heap is a heap with four children a node, which is faster than two: it is less deep, and the
// children lie in one cache line.
type heap []item

func (h *heap) push(key, of int32) {
	*h = append(*h, item{key, of})
	a := *h
	i := len(a) - 1
	for x := a[i]; i > 0; {
		p := (i - 1) >> 2
		if a[p].key <= x.key {
			break
		}
		a[i], a[p] = a[p], x
		i = p
	}
}

func (h *heap) pop() item {
	a := *h
	top := a[0]
	n := len(a) - 1
	x := a[n]
	a = a[:n]
	*h = a
	if n == 0 {
		return top
	}
	i := 0
	for {
		c := i<<2 + 1
		if c >= n {
			break
		}
		m := c
		for j := c + 1; j < min(c+4, n); j++ {
			if a[j].key < a[m].key {
				m = j
			}
		}
		if a[m].key >= x.key {
			break
		}
		a[i] = a[m]
		i = m
	}
	a[i] = x
	return top
}
