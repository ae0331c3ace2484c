import { useSyncExternalStore } from 'react';

/** How loud notices may be. Both are off until they are turned on here. */
export interface AlertChoice {
  readonly sound: boolean;
  readonly system: boolean;
}

const storageKey = 'hexhail.alerts';
const listeners = new Set<() => void>();
let choice = read();
let audio: AudioContext | null = null;

function read(): AlertChoice {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<AlertChoice>;
    return { sound: stored.sound === true, system: stored.system === true && systemState() === 'granted' };
  } catch {
    return { sound: false, system: false };
  }
}

function choose(next: AlertChoice): void {
  choice = next;
  localStorage.setItem(storageKey, JSON.stringify(next));
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What was chosen; renders again when it changes. */
export function useAlertChoice(): AlertChoice {
  return useSyncExternalStore(subscribe, () => choice);
}

/** Whether the browser lets us show notifications of the system. */
export function systemState(): NotificationPermission | 'unsupported' {
  return 'Notification' in globalThis ? Notification.permission : 'unsupported';
}

/** Turns the sound on or off. Called from a click, so that the browser lets it be heard. */
export function chooseSound(on: boolean): void {
  choose({ ...choice, sound: on });
  if (on) chime();
}

/** Turns notifications of the system on or off; asks for leave when needed. Called from a click. */
export async function chooseSystem(on: boolean): Promise<void> {
  const allowed = on && systemState() === 'default' ? await Notification.requestPermission() : systemState();
  choose({ ...choice, system: on && allowed === 'granted' });
}

/** Plays two short rising tones, if chosen. Silent where the browser wants a click first. */
export function chime(): void {
  if (!choice.sound || !('AudioContext' in globalThis)) return;
  audio ??= new AudioContext();
  const context = audio;
  void context.resume().then(() => {
    [660, 990].forEach((frequency, i) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const from = context.currentTime + i * 0.14;
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(0.15, from + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.16);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.18);
    });
  }).catch(() => undefined);
}

/** Shows a notification of the system, if chosen and while the page is hidden. */
export async function notifySystem(text: string, subject: string): Promise<void> {
  if (!choice.system || document.visibilityState === 'visible') return;
  const options = { body: text, tag: subject, icon: '/icon-192.png' };
  try {
    // Phones show notifications of service workers only.
    const worker = await navigator.serviceWorker.getRegistration();
    if (worker) await worker.showNotification('Hexhail', options);
    else new Notification('Hexhail', options);
  } catch {
    // The browser may have taken its leave back; the toast remains.
  }
}
