package pbf

import "google.golang.org/protobuf/encoding/protowire"

func (d *decoder) readNode(b []byte) error {
	var keys, vals varints
	var lat, lng int64
	d.node = Node{}
	err := eachField(b, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			d.node.ID = protowire.DecodeZigZag(f.number)
		case 2:
			keys = f.bytes
		case 3:
			vals = f.bytes
		case 8:
			lat = protowire.DecodeZigZag(f.number)
		case 9:
			lng = protowire.DecodeZigZag(f.number)
		}
		return nil
	})
	if err == nil {
		err = d.readTags(keys, vals)
	}
	if err == nil {
		d.node.Lat, d.node.Lng, err = d.place(lat, lng)
	}
	if err != nil {
		return err
	}
	d.node.Tags = d.tags
	return d.h.Node(&d.node)
}

// readDense reads nodes as parallel lists: ids and coordinates as differences, tags as one list of
// key, value, key, value, 0 for each node; it is empty if no node has a tag.
func (d *decoder) readDense(b []byte) error {
	var ids, lats, lngs, tags varints
	err := eachField(b, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			ids = f.bytes
		case 8:
			lats = f.bytes
		case 9:
			lngs = f.bytes
		case 10:
			tags = f.bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	tagged := len(tags) > 0
	var id, lat, lng int64
	for {
		x, ok := ids.signed()
		if !ok {
			break
		}
		y, ok := lats.signed()
		z, ok2 := lngs.signed()
		if !ok || !ok2 {
			return corrupt("lists of an object differ in length")
		}
		id, lat, lng = id+x, lat+y, lng+z
		d.tags = d.tags[:0]
		if tagged {
			if err := d.denseTags(&tags); err != nil {
				return err
			}
		}
		d.node.ID, d.node.Tags = id, d.tags
		if d.node.Lat, d.node.Lng, err = d.place(lat, lng); err != nil {
			return err
		}
		if err := d.h.Node(&d.node); err != nil {
			return err
		}
	}
	for _, rest := range []*varints{&ids, &lats, &lngs, &tags} {
		if err := rest.done(); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) denseTags(tags *varints) error {
	for {
		k, ok := tags.next()
		if !ok {
			return corrupt("lists of an object differ in length")
		}
		if k == 0 {
			return nil
		}
		v, ok := tags.next()
		if !ok {
			return corrupt("a tag has no value")
		}
		if err := d.addTag(k, v); err != nil {
			return err
		}
	}
}

// readShared reads what ways and relations share: the id, the tags, and the lists in fields 8 to 10.
func (d *decoder) readShared(b []byte) (id int64, lists [3]varints, err error) {
	var keys, vals varints
	err = eachField(b, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			id = int64(f.number)
		case 2:
			keys = f.bytes
		case 3:
			vals = f.bytes
		case 8, 9, 10:
			lists[num-8] = f.bytes
		}
		return nil
	})
	if err == nil {
		err = d.readTags(keys, vals)
	}
	return id, lists, err
}

func (d *decoder) readWay(b []byte) error {
	way, lists, err := d.readShared(b)
	if err != nil {
		return err
	}
	d.way = Way{ID: way}
	refs := lists[0]
	d.refs = d.refs[:0]
	id := int64(0)
	for {
		x, ok := refs.signed()
		if !ok {
			break
		}
		if len(d.refs) >= MaxWayNodes {
			return corrupt("a way has too many nodes")
		}
		id += x
		d.refs = append(d.refs, id)
	}
	if err := refs.done(); err != nil {
		return err
	}
	d.way.Refs, d.way.Tags = d.refs, d.tags
	return d.h.Way(&d.way)
}

func (d *decoder) readRelation(b []byte) error {
	id, lists, err := d.readShared(b)
	if err != nil {
		return err
	}
	d.relation = Relation{ID: id}
	if err := d.readMembers(lists[0], lists[1], lists[2]); err != nil {
		return err
	}
	d.relation.Members, d.relation.Tags = d.members, d.tags
	return d.h.Relation(&d.relation)
}

func (d *decoder) readMembers(roles, ids, types varints) error {
	d.members = d.members[:0]
	id := int64(0)
	for {
		x, ok := ids.signed()
		if !ok {
			break
		}
		role, ok := roles.next()
		kind, ok2 := types.next()
		if !ok || !ok2 {
			return corrupt("lists of an object differ in length")
		}
		name, ok := d.str(role)
		if !ok || kind > uint64(RelationMember) {
			return corrupt("a relation's member is of no known type or role")
		}
		if len(d.members) >= MaxMembers {
			return corrupt("a relation has too many members")
		}
		id += x
		d.members = append(d.members, Member{Type: MemberType(kind), ID: id, Role: name})
	}
	for _, rest := range []*varints{&roles, &ids, &types} {
		if err := rest.done(); err != nil {
			return err
		}
	}
	return nil
}
