// Package crash proves that Hexhail keeps its promises when it is killed. It runs the server as a
// child process under a simulated city, kills it repeatedly with SIGKILL, preferably while a
// command is in flight, and restarts it at once. In the end it compares what the clients saw, what
// the HTTP API returns and what the database holds. docs/simulation.md describes the proof, its
// counters and its report.
package crash
