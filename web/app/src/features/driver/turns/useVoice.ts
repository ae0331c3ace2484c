import { useCallback, useState, useSyncExternalStore } from 'react';

import { readJson, writeJson } from '../position/stored';

/** Spoken directions, as far as this device has a voice for the language. */
export interface Voice {
  /** Without a voice nothing is spoken, and there is nothing to switch. */
  readonly available: boolean;
  readonly on: boolean;
  /** Switches, and keeps the choice. `ready` is spoken when it goes on: phones let only a person's tap begin. */
  readonly toggle: (ready: string) => void;
  /** Says a sentence, instead of one that is not finished. */
  readonly say: (text: string) => void;
}

const key = 'hexhail.drive.voice';
const speech = (): SpeechSynthesis | null => ('speechSynthesis' in window ? window.speechSynthesis : null);

/** A voice that speaks a language, best one of the device itself: others need the network. */
function voiceFor(language: string): SpeechSynthesisVoice | null {
  const fit = (speech()?.getVoices() ?? []).filter((v) => v.lang.toLowerCase().split(/[-_]/)[0] === language);
  return fit.find((v) => v.localService) ?? fit[0] ?? null;
}

function watchVoices(listener: () => void): () => void {
  // Browsers load their voices after the page. Older ones do not tell.
  const source = speech() as Partial<SpeechSynthesis> | null;
  source?.addEventListener?.('voiceschanged', listener);
  return () => source?.removeEventListener?.('voiceschanged', listener);
}

/** Speaks in a language of the app, such as "ko", if the person wants that. */
export function useVoice(language: string): Voice {
  const available = useSyncExternalStore(watchVoices, () => voiceFor(language) !== null);
  const [wanted, setWanted] = useState(() => readJson(localStorage, key) === true);
  const on = available && wanted;

  const speak = useCallback((text: string) => {
    const voice = voiceFor(language);
    if (!voice) return;
    speech()?.cancel();
    const words = new SpeechSynthesisUtterance(text);
    words.voice = voice;
    words.lang = voice.lang;
    speech()?.speak(words);
  }, [language]);

  const say = useCallback((text: string) => { if (on) speak(text); }, [on, speak]);
  const toggle = (ready: string) => {
    writeJson(localStorage, key, !on);
    setWanted(!on);
    if (on) speech()?.cancel();
    else speak(ready);
  };
  return { available, on, toggle, say };
}
