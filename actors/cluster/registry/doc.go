// Package registry keeps this process's key in etcd and lists those of all members. It is the part
// of membership that does I/O; what follows from it is package membership's to judge.
//
// It lists twice a second instead of watching, so that no event can be missed. A lost lease is
// granted again, if the judge agrees. While etcd is away it keeps trying and says why.
package registry
