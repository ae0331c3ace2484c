// Package faults holds what can only be shown of Hexhail as a whole: that one driver
// wins a trip however many accept at once, that a killed server forgets nothing that it
// acknowledged, that a full disk, a stopped process, a storm of reconnects and a crowd
// break no promise, that a load leaves nothing behind, and how long a ride's steps take.
//
// As part of "go test" each runs for seconds. The environment asks for more:
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
// HEXHAIL_BOUNDS=1 says that the machine is quiet: how long things take is then held
// against the promises' bounds, and only logged otherwise.
//
// docs/benchmarks tells what they showed, and how to run them.
package faults
