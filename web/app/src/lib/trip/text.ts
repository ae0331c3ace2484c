const encoder = new TextEncoder();

/** Cuts a text to so many bytes of UTF-8, the measure of the protocol's limits, without cutting a character in two. */
export function clip(text: string, bytes: number): string {
  if (encoder.encode(text).length <= bytes) return text;
  let length = 0;
  let kept = '';
  for (const character of text) {
    length += encoder.encode(character).length;
    if (length > bytes) break;
    kept += character;
  }
  return kept;
}
