// Package crash proves that Hexhail keeps its promises when it is killed. It runs the
// server as a child process, lets a simulated city use it, kills it with SIGKILL again and
// again, preferably while a command is under way, and starts it anew at once. In the end
// it holds what the clients saw, what the HTTP API says and what the database keeps
// against each other. docs/simulation.md describes the proof, its counters and its report.
package crash
