import { deflateSync } from 'node:zlib';
import { Service, json } from './service';
import type { Colour } from './picture';

/** What the whole world looks like in the tests' raster tiles: no colour of the app's. */
export const rasterGround: Colour = [212, 160, 23];
export const rasterCredit = '© The street painters';
/** What land looks like in the style that the app has for archives. */
export const archiveGround = { light: [226, 223, 218], dark: [31, 31, 31] } as const satisfies Record<string, Colour>;

/** A map service: `/style.json` with raster tiles, and `/world.pmtiles` that is land from pole to pole. */
export async function startTiles(): Promise<Service> {
  const tile = png(rasterGround);
  const archive = worldArchive();
  const service = await Service.start((url, request, response) => {
    if (url.pathname === '/style.json') {
      json(response, {
        version: 8,
        sources: { streets: { type: 'raster', tiles: [`${service.url}/{z}/{x}/{y}.png`], tileSize: 256, attribution: rasterCredit } },
        layers: [{ id: 'streets', type: 'raster', source: 'streets' }],
      });
    } else if (url.pathname === '/empty.json') {
      json(response, {});
    } else if (url.pathname.endsWith('.png')) {
      response.setHeader('Content-Type', 'image/png').end(tile);
    } else if (url.pathname === '/world.pmtiles') {
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      const part = range ? archive.subarray(Number(range[1]), Number(range[2]) + 1) : archive;
      response.writeHead(range ? 206 : 200, { 'Content-Type': 'application/octet-stream', ETag: '"world"' }).end(part);
    } else {
      response.writeHead(404).end();
    }
  });
  return service;
}

/** A picture of 8 by 8 pixels of one colour. */
export function png(colour: Colour): Buffer {
  const row = Buffer.from([0, ...Array.from({ length: 8 }, () => colour).flat()]);
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.concat(Array.from({ length: 8 }, () => row)))), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...chunks]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A PMTiles archive (version 3) in which every tile down to zoom 14 is the same one: nothing but land. */
function worldArchive(): Buffer {
  const maxZoom = 14;
  const tile = landTile();
  const metadata = Buffer.from(JSON.stringify({ vector_layers: [{ id: 'earth', fields: {} }] }));
  const tiles = (4 ** (maxZoom + 1) - 1) / 3;
  // One entry: it begins with tile 0, runs through all of them, and lies at the beginning of the data.
  const directory = Buffer.from([1, 0, ...varint(tiles), ...varint(tile.length), 1]);
  const header = Buffer.alloc(127);
  header.write('PMTiles');
  header.writeUInt8(3, 7);
  const offsets = [header.length, directory.length, header.length + directory.length, metadata.length, 0, 0,
    header.length + directory.length + metadata.length, tile.length, tiles, 1, 1];
  offsets.forEach((value, i) => header.writeBigUInt64LE(BigInt(value), 8 + 8 * i));
  header.set([1, 1, 1, 1, 0, maxZoom], 96); // clustered; nothing is compressed; vector tiles
  [-180e7, -85e7, 180e7, 85e7].forEach((degrees, i) => header.writeInt32LE(degrees, 102 + 4 * i));
  return Buffer.concat([header, directory, metadata, tile]);
}

/** A vector tile with one polygon in the layer "earth", from edge to edge. */
function landTile(): Buffer {
  const extent = 4096;
  const step = (n: number) => varint(n < 0 ? -2 * n - 1 : 2 * n);
  const geometry = [9, ...step(0), ...step(0), 26, ...step(extent), ...step(0), ...step(0), ...step(extent), ...step(-extent), ...step(0), 15];
  const feature = [0x18, 3, 0x22, geometry.length, ...geometry];
  const layer = [0x0a, 5, ...Buffer.from('earth'), 0x12, feature.length, ...feature, 0x28, ...varint(extent), 0x78, 2];
  return Buffer.from([0x1a, layer.length, ...layer]);
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}
