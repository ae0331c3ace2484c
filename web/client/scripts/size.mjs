// Says how many bytes the library adds to an app: everything that it exports, bundled, minified and gzipped.
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const entry = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const common = { entryPoints: [entry], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true };
const all = await build(common);
const own = await build({ ...common, external: ['@bufbuild/protobuf'] });
const bytes = (result) => {
  const { contents } = result.outputFiles[0];
  return `${contents.length} bytes, ${gzipSync(contents, { level: 9 }).length} gzipped`;
};
console.log(`with the protobuf runtime: ${bytes(all)}`);
console.log(`without it: ${bytes(own)}`);
