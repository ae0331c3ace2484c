import type { ClientFrameBody } from './gen/messages.js';
import type { Persistence } from './options.js';
import { isCommand, isRequestKind, type CommandKind } from './requests.js';

/** A command as it outlives the page. */
export interface StoredCommand {
  readonly id: string;
  readonly kind: CommandKind;
  readonly body: ClientFrameBody[CommandKind];
  readonly since: number;
}

interface Stored {
  /** Empty if the client was not connected before the command was given. */
  readonly accountId: string;
  readonly commands: readonly StoredCommand[];
}

const defaultMaxAge = 2 * 60_000;

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && 'accountId' in value && 'commands' in value && Array.isArray(value.commands);

/** Unanswered commands in a storage. A storage that fails is like none: the commands are sent all the same. */
export class CommandStore {
  readonly #persistence: Persistence | undefined;

  constructor(persistence: Persistence | undefined) {
    this.#persistence = persistence;
  }

  /** What an earlier page left that is young enough by `now`, in milliseconds. */
  load(now: number): Stored {
    const nothing = { accountId: '', commands: [] };
    if (!this.#persistence) return nothing;
    const { storage, key, maxAgeMs = defaultMaxAge } = this.#persistence;
    try {
      const stored: unknown = JSON.parse(storage.getItem(key) ?? 'null');
      if (!isStored(stored)) return nothing;
      const commands = stored.commands.filter(
        ({ kind, since }) => isRequestKind(kind) && isCommand(kind) && Math.abs(now - since) <= maxAgeMs, // also of a clock set back since
      );
      return { accountId: stored.accountId, commands };
    } catch {
      return nothing;
    }
  }

  save(stored: Stored): void {
    if (!this.#persistence) return;
    const { storage, key } = this.#persistence;
    try {
      if (stored.commands.length === 0) storage.removeItem(key);
      else storage.setItem(key, JSON.stringify(stored));
    } catch {
      // Full or forbidden.
    }
  }
}
