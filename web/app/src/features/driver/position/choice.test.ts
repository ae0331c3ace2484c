import { beforeEach, describe, expect, it } from 'vitest';

import { keepChoice, pacesFor, readChoice } from './choice';

describe('the choice of a position', () => {
  beforeEach(() => localStorage.clear());

  it('is the device on ordinary servers, at a pace that no server takes for a jump', () => {
    expect(readChoice(undefined, true)).toEqual({ source: 'browser', pace: 1 });
    expect(Math.max(...pacesFor(undefined)) * 30).toBeLessThan(200);
  });

  it("is a simulated car in a demonstration, as fast as the server's own", () => {
    expect(readChoice({ visitor_speed: 12 }, true)).toEqual({ source: 'simulated', pace: 12 });
    expect(pacesFor({ visitor_speed: 12 })).toContain(12);
  });

  it('comes back as it was left, unless the pace is none of this server', () => {
    keepChoice({ source: 'simulated', pace: 40 });
    expect(readChoice({ visitor_speed: 12 }, true)).toEqual({ source: 'simulated', pace: 40 });
    expect(readChoice(undefined, true)).toEqual({ source: 'simulated', pace: 1 });
    localStorage.setItem('hexhail.drive', '{not json');
    expect(readChoice(undefined, true).source).toBe('browser');
  });

  it('is the device wherever the server allows no simulated cars, whatever was stored', () => {
    keepChoice({ source: 'simulated', pace: 40 });
    expect(readChoice(undefined, false)).toEqual({ source: 'browser', pace: 1 });
    expect(readChoice({ visitor_speed: 12 }, false)).toEqual({ source: 'browser', pace: 1 });
  });
});
