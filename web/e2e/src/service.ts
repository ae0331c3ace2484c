import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server as Listener, type ServerResponse } from 'node:http';

/** A third party's server on a free port, which the pages talk to and which can fail. */
export class Service {
  /** Answers every request with this status while set. */
  failing: number | null = null;
  /** The addresses that were asked for, with their queries. */
  readonly asked: URL[] = [];
  readonly url: string;
  readonly #listener: Listener;

  private constructor(listener: Listener) {
    const address = listener.address();
    if (typeof address !== 'object' || !address) throw new Error('the service does not listen');
    this.url = `http://127.0.0.1:${address.port}`;
    this.#listener = listener;
  }

  /** Starts a service that answers by this function, to pages of every origin. */
  static async start(answer: (url: URL, request: IncomingMessage, response: ServerResponse) => void): Promise<Service> {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const service = new Service(listener);
    listener.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const url = new URL(request.url ?? '/', service.url);
      service.asked.push(url);
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.setHeader('Cache-Control', 'no-store');
      if (service.failing !== null) response.writeHead(service.failing).end();
      else answer(url, request, response);
    });
    return service;
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    this.#listener.closeAllConnections();
    await closed;
  }
}

export function json(response: ServerResponse, body: unknown): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
}
