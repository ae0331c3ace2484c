// Package packaging has only tests, of the files with which Hexhail ships: the Dockerfile,
// docker-compose.yml and the systemd unit. Not all of them can run where the tests run, so these
// tests check their contents.
package packaging
