/** Reads what `writeJson` wrote; null when nothing, or nothing readable, is there. */
export function readJson(storage: Storage, key: string): unknown {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null') as unknown;
  } catch {
    return null;
  }
}

/** Keeps a value. Where the storage is full or forbidden it is not kept, and nothing else happens. */
export function writeJson(storage: Storage, key: string, value: unknown): void {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // The page works without it.
  }
}
