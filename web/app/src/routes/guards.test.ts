import { describe, expect, it } from 'vitest';

import { returnPath } from './guards';

describe('return paths', () => {
  it.each(['/ride', '/trips/1?x=2', '/'])('may be %s', (next) => expect(returnPath({ next })).toEqual({ next }));
  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', 7, undefined])(
    'may not be %s',
    (next) => expect(returnPath({ next })).toEqual({}),
  );
});
