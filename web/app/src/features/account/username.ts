const unseen = String.raw`(?:[\s\p{Z}\p{Cf}\p{Variation_Selector}\u0085\u115f\u1160\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5)+`;
const around = new RegExp(`^${unseen}|${unseen}$`, 'gu');

/**
 * Strips the invisible characters that keyboards and clipboards put around a username: spaces, and
 * characters without width. The server does the same.
 */
export const tidyUsername = (typed: string): string => typed.replace(around, '');

/** The same for any text of one line, such as a name or a plate. */
export const tidyEnds = tidyUsername;
