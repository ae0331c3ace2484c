import type { Client } from './api.js';
import type { ClientOptions } from './options.js';

/** Makes a client. It does nothing until `start` is called. */
export declare function createClient(options: ClientOptions): Client;
