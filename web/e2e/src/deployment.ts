import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server as Listener, type ServerResponse } from 'node:http';
import { connect } from 'node:net';

/** A server's address behind which a later version of the app can come: the same, but for one text of one file. */
export class Deployment {
  readonly port: number;
  /** What the later version changed; null before it is deployed. */
  #change: { readonly file: string; readonly before: string; readonly after: string } | null = null;
  readonly #listener: Listener;
  readonly #target: number;

  private constructor(listener: Listener, target: number) {
    const address = listener.address();
    if (typeof address !== 'object' || !address) throw new Error('the deployment does not listen');
    this.port = address.port;
    this.#listener = listener;
    this.#target = target;
  }

  /** Listens on a free port for the server on the port `target`. */
  static async of(target: number): Promise<Deployment> {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const deployment = new Deployment(listener, target);
    listener.on('request', (asked: IncomingMessage, answer: ServerResponse) => deployment.#pass(asked, answer));
    listener.on('upgrade', (asked: IncomingMessage, near) => {
      const far = connect(target, '127.0.0.1');
      const lines = asked.rawHeaders.reduce((all, word, i) => all + word + (i % 2 === 0 ? ': ' : '\r\n'), '');
      far.write(`${asked.method ?? 'GET'} ${asked.url ?? '/'} HTTP/1.1\r\n${lines}\r\n`);
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    return deployment;
  }

  /** Deploys a later version of the app, in which a file says something else. */
  upgrade(file: string, before: string, after: string): void {
    this.#change = { file, before, after };
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const headers = { ...asked.headers };
    delete headers['accept-encoding']; // to read what is changed
    delete headers['if-none-match'];
    const far = request({ port: this.#target, path: asked.url, method: asked.method, headers }, (from) => {
      const parts: Buffer[] = [];
      from.on('data', (part: Buffer) => parts.push(part));
      from.on('end', () => {
        const body = this.#changed(asked.url ?? '', Buffer.concat(parts));
        const sent = { ...from.headers };
        delete sent['content-length'];
        delete sent.etag;
        answer.writeHead(from.statusCode ?? 502, sent).end(body);
      });
    });
    far.on('error', () => answer.destroy());
    asked.pipe(far);
  }

  #changed(url: string, body: Buffer): Buffer {
    const change = this.#change;
    if (!change) return body;
    const text = body.toString();
    if (url === `/${change.file}`) return Buffer.from(replaced(text, change.before, change.after));
    // The build writes each file's revision into the worker.
    if (url === '/sw.js') return Buffer.from(replaced(text, new RegExp(`(\\{url:"${change.file}",revision:")[^"]+`), '$1later'));
    return body;
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    this.#listener.closeAllConnections();
    await closed;
  }
}

function replaced(text: string, what: string | RegExp, by: string): string {
  const out = text.replace(what, by);
  if (out === text) throw new Error(`nothing to replace: ${String(what)}`);
  return out;
}
