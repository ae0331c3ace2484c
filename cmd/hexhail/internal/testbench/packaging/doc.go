// Package packaging holds no code, only tests of the files by which Hexhail is shipped:
// the Dockerfile, docker-compose.yml and the systemd unit. They cannot all be run where
// the tests run, so what can be known of them is checked here.
package packaging
