const storageKey = 'hexhail.device';

/**
 * The secret that this browser made for itself, made now if there is none. The server knows a
 * browser by it that has signed in before, and lets it in while others guess the password. It
 * stays after a log-out: that is when it is needed.
 */
export function deviceSecret(storage: Pick<Storage, 'getItem' | 'setItem'>): string {
  const known = storage.getItem(storageKey);
  if (known !== null && /^[0-9a-f]{32}$/.test(known)) return known;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  try {
    storage.setItem(storageKey, made);
  } catch {
    // Storage is full or forbidden: then each log-in is from a new device.
  }
  return made;
}
