// A Hexhail server of its own, on free ports, with an empty database that goes away with it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Starts a server and waits until it is ready.
 *
 * @param {string} binary
 * @param {readonly string[]} [flags]
 */
export async function startServer(binary, flags = []) {
  const data = await mkdtemp(join(tmpdir(), 'hexhail-client-'));
  const address = ['--listen=127.0.0.1:0', '--ops-listen=127.0.0.1:0', `--data-dir=${data}`, '--no-driver-approval', '--log-level=warn'];
  const child = spawn(binary, ['serve', ...address, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    const read = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
      const found = /(http:\/\/[\d.:]+)\/v1/.exec(output);
      if (found?.[1]) resolve(found[1]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then(() => reject(new Error(`the server ended:\n${output}`)));
  });
  return {
    url,
    /** Ends it as an operator would, and waits until it is gone. */
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(data, { recursive: true, force: true });
    },
  };
}

/**
 * Signs a rider or a driver up, and returns the access token.
 *
 * @param {string} url
 * @param {'rider' | 'driver'} role
 * @param {string} name
 */
export async function signUp(url, role, name) {
  const vehicle = role === 'driver' ? { vehicle_class: 'standard', plate: 'HX 1001' } : {};
  const account = { username: `${name.toLowerCase()}-${Date.now()}`, password: 'correct horse 8', first_name: name, last_name: 'L', role };
  const answer = await fetch(`${url}/v1/accounts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...account, ...vehicle }),
  });
  if (!answer.ok) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
  const { tokens } = /** @type {{ tokens: { access_token: string } }} */ (await answer.json());
  return tokens.access_token;
}
