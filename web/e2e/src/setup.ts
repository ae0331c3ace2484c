import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Builds the program once for all files, unless HEXHAIL_BINARY names one that is built already. */
export default function setup(): (() => void) | undefined {
  if (process.env.HEXHAIL_BINARY) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'hexhail-e2e-'));
  const binary = join(dir, 'hexhail');
  const root = new URL('../../../', import.meta.url).pathname;
  execFileSync('go', ['build', '-o', binary, './cmd/hexhail'], { cwd: root, stdio: 'inherit' });
  process.env.HEXHAIL_BINARY = binary;
  return () => {
    rmSync(dir, { recursive: true, force: true });
  };
}
