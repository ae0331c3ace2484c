// Package packaging has only tests, of the files with which Hexhail ships: the Dockerfile,
// docker-compose.yml, the systemd units, the Helm chart, the configurations of balancers, the alerts
// and the dashboard. Not all of them can run where the tests run, so some tests check their contents.
package packaging
