/** What photos are made from. The server takes no others, and looks itself. */
export const photoTypes = ['image/jpeg', 'image/png', 'image/webp'] as const;

/** What a phone's camera makes is less; more would only slow the phone down. In bytes. */
const mostBytes = 15 << 20;

/** Why a file cannot become a photo; keys of the texts under "photo". */
export type PhotoRefusal = 'kind' | 'large' | 'unreadable';

/** Checks whether a file can become a photo before it is cropped. A name proves nothing: the file is decoded. */
export async function refusalOf(file: File): Promise<PhotoRefusal | null> {
  if (!photoTypes.some((type) => type === file.type)) return 'kind';
  if (file.size > mostBytes) return 'large';
  try {
    (await createImageBitmap(file)).close();
    return null;
  } catch {
    return 'unreadable';
  }
}
