import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const readyWithinMs = 60_000;

/** The real program on free ports, with a data directory that ends with it. */
export class Server {
  readonly port: number;
  readonly opsPort: number;
  readonly #dir = mkdtempSync(join(tmpdir(), 'hexhail-e2e-'));
  readonly #command: readonly string[];
  #process: ChildProcess | null = null;
  #log = '';

  private constructor(port: number, opsPort: number, command: readonly string[]) {
    this.port = port;
    this.opsPort = opsPort;
    this.#command = command;
  }

  /** Starts `hexhail serve` or `hexhail demo` with these flags, and returns when it is ready. */
  static async start(what: 'serve' | 'demo', ...flags: string[]): Promise<Server> {
    const [port, opsPort] = await freePorts(2);
    if (port === undefined || opsPort === undefined) throw new Error('no free port');
    // Drivers who sign up drive at once, unless a test is about approval or a trial.
    const approval = flags.some((flag) => flag === '--trial' || flag.endsWith('driver-approval')) ? [] : ['--no-driver-approval'];
    // A page on a slow machine takes long to draw: offers, searches, drivers and their sessions wait for it, unless a test is about how long they do.
    const patience = what === 'serve' && !flags.some((flag) => flag.startsWith('--trip-search-for'))
      ? ['--dispatch-offer-ttl=2m', '--trip-search-for=10m', '--position-ttl=1m', '--socket-session-linger=10m'] : [];
    const server = new Server(port, opsPort, [what, ...approval, ...patience, ...flags]);
    await server.restart();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything that the program has said. */
  get log(): string {
    return this.#log;
  }

  /** Starts the program, on the same port and the same data as before if it ran before. */
  async restart(): Promise<void> {
    const binary = process.env.HEXHAIL_BINARY;
    if (!binary) throw new Error('HEXHAIL_BINARY is not set');
    const child = spawn(binary, this.#command, { cwd: this.#dir, env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    process.once('exit', () => child.kill('SIGKILL'));
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-200_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const until = Date.now() + readyWithinMs;
    while (!(await this.#ready())) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`the server did not start:\n${this.#log}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Kills the program with SIGKILL: it can write nothing down any more. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends the program and removes its data. */
  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Makes an operator beside the running server and returns its password. */
  createOperator(username: string): string {
    const said = execFileSync(process.env.HEXHAIL_BINARY ?? '', ['admin', 'create', username], {
      cwd: this.#dir, env: this.#environment(), encoding: 'utf8',
    });
    const password = /password.*: (\S+)/i.exec(said)?.[1];
    if (!password) throw new Error(`no password in: ${said}`);
    return password;
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH, HOME: this.#dir,
      HEXHAIL_LISTEN: `127.0.0.1:${this.port}`, HEXHAIL_OPS_LISTEN: `127.0.0.1:${this.opsPort}`,
      HEXHAIL_DATA_DIR: join(this.#dir, 'data'),
    };
  }

  async #ready(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.opsPort}/readyz`)).ok;
    } catch {
      return false;
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  // All are held at once, so that none is given twice.
  const held = await Promise.all(Array.from({ length: count }, async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return listener;
  }));
  return Promise.all(held.map(async (listener) => {
    const address = listener.address();
    listener.close();
    await once(listener, 'close');
    return typeof address === 'object' && address ? address.port : 0;
  }));
}
