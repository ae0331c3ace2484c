// Package faults tests what only Hexhail as a whole can show: that one driver wins a trip however
// many accept at once, that a killed server loses nothing that it acknowledged, that a full disk, a
// stopped process, a storm of reconnects and a crowd break no promise, that a load leaves nothing
// behind, and how long the steps of a ride take.
//
// As part of "go test" each test runs for seconds. Environment variables extend them:
//
//	HEXHAIL_RACES=10000   races of each kind
//	HEXHAIL_RIDES=500     rides of the latency table
//	HEXHAIL_CRASHES=30    rounds of kill -9
//	HEXHAIL_LOAD=20s      length of the load
//	HEXHAIL_OUTAGE=30s    how long the disk stays full
//	HEXHAIL_FREEZE=60s    how long the server is stopped
//	HEXHAIL_STORM=4000    drivers whose sockets are all cut at once
//	HEXHAIL_STADIUM=5000  fans who leave a stadium, ten to each driver
//
// HEXHAIL_NODES=3 runs races, crashes, freeze, storm and stadium against a cluster of three nodes.
//
// HEXHAIL_BOUNDS=1 says that the machine is quiet: times are then compared with the promised
// bounds, and otherwise only logged.
//
// docs/benchmarks has the results, and says how to run the tests.
package faults
