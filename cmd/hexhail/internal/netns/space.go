package netns

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// missing is what this machine or this account lacks; empty: nothing that is known beforehand.
func missing() string {
	switch {
	case runtime.GOOS != "linux":
		return "they need Linux"
	case os.Geteuid() != 0:
		return "they need root"
	}
	for program, of := range map[string]string{"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux"} {
		if _, err := exec.LookPath(program); err != nil {
			return "they need the program " + program + " of " + of
		}
	}
	return ""
}

// space is a namespace. It lives as long as a process in it does, and that one ends with our end of its pipe, so nothing
// of it is left, however this process ends.
type space struct {
	keeper *exec.Cmd
	pipe   io.Closer
}

// keep is a shell's program: it says when the namespace can be used.
const keep = `ip link set lo up && echo && exec cat`

func newSpace() (*space, error) {
	var said bytes.Buffer
	s := &space{keeper: exec.Command("unshare", "-n", "sh", "-c", keep)} //nolint:noctx // it ends with its pipe
	s.keeper.Stderr, s.keeper.SysProcAttr = &said, detached()
	in, err := s.keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.pipe = in
	out, err := s.keeper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.keeper.Start(); err != nil {
		return nil, fmt.Errorf("make a namespace: %w", err)
	}
	if _, err := bufio.NewReader(out).ReadByte(); err != nil {
		s.close() // which also waits for all that it said
		return nil, fmt.Errorf("make a namespace: %s", bytes.TrimSpace(said.Bytes()))
	}
	return s, nil
}

func (s *space) pid() int { return s.keeper.Process.Pid }

// close ends the process in the space, and the space once no other process is there.
func (s *space) close() {
	_ = s.pipe.Close()  // it may be gone
	_ = s.keeper.Wait() // it has nothing to say
}

// command is a command line that runs in the space.
func (s *space) command(line ...string) []string {
	return append([]string{"nsenter", "-t", strconv.Itoa(s.pid()), "-n", "--"}, line...)
}

// ipWithin bounds commands that are done at once, but on a busy machine.
const ipWithin = time.Minute

// ip runs commands of the program ip in the space; nil: in this process's own.
func (s *space) ip(commands ...string) error {
	line := []string{"ip", "-batch", "-"}
	if s != nil {
		line = s.command(line...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), ipWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.SysProcAttr, cmd.Stdin = detached(), strings.NewReader(strings.Join(commands, "\n")+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(commands, "; "), err, bytes.TrimSpace(out))
	}
	return nil
}

// uniqueName is a name for an interface that no other run has. Names have 15 bytes at most.
func uniqueName() string { return fmt.Sprintf("hexhail%08x", rand.Uint32()) }

// freeSubnet finds a subnet of 10.0.0.0/8 that this machine has no route to, but for routes that lead to all of them.
func freeSubnet() (netip.Prefix, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ipWithin)
	defer cancel()
	routes, err := exec.CommandContext(ctx, "ip", "-4", "route", "show", "table", "all").Output()
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("read the routes: %w", err)
	}
	taken := subnetsIn(string(routes))
	for range 1000 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rand.Uint32()), byte(rand.Uint32()), 0}), 24)
		if !slices.ContainsFunc(taken, p.Overlaps) {
			return p, nil
		}
	}
	return netip.Prefix{}, errors.New("no free subnet in 10.0.0.0/8")
}

// subnetsIn lists the subnets that a list of routes leads to. Those that have all of 10.0.0.0/8 leave no choice,
// and a route to a smaller subnet goes before them.
func subnetsIn(routes string) (out []netip.Prefix) {
	for line := range strings.Lines(routes) {
		f := strings.Fields(line) // perhaps a type, then the subnet or the address
		for _, text := range f[:min(2, len(f))] {
			if a, err := netip.ParseAddr(text); err == nil {
				out = append(out, netip.PrefixFrom(a, a.BitLen()))
			} else if p, err := netip.ParsePrefix(text); err == nil && p.Bits() > 8 {
				out = append(out, p)
			}
		}
	}
	return out
}
