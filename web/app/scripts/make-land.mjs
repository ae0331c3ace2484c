// Makes src/lib/map/data/land.json: what a map shows when there are no tiles.
//
//   npm run land -w app
//
// The world's land is Natural Earth's at 1:110 million (public domain), by way of world-atlas. Around New York, where
// the demonstration lives, it is finer: the counties of the US Census Bureau (public domain), by way of us-atlas. The
// world is cut out there, so that its coarse coast does not cover the harbour.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import polygonClipping from 'polygon-clipping';
import { feature, mesh } from 'topojson-client';

const require = createRequire(import.meta.url);
const world = require('world-atlas/land-110m.json');
const us = require('us-atlas/counties-10m.json');

// West, south, east, north of the finer part.
const box = [-75.2, 40, -72.6, 41.6];
const [west, south, east, north] = box;
const boxPolygon = [[[west, south], [east, south], [east, north], [west, north], [west, south]]];

// The counties of New York City are better known under other names.
const known = { 36061: 'Manhattan', 36047: 'Brooklyn', 36081: 'Queens', 36005: 'The Bronx', 36085: 'Staten Island' };

const polygonsOf = (geometry) => (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates);
const round = (digits) => (value) => (Array.isArray(value) ? value.map(round(digits)) : Number(value.toFixed(digits)));

/** Cuts the corners of a closed ring, twice: the outlines are coarse, and soft coasts say so more kindly than spikes. */
function soften(ring) {
  let points = ring.slice(0, -1);
  for (let pass = 0; pass < 2; pass++) {
    points = points.flatMap((a, i) => {
      const b = points[(i + 1) % points.length];
      return [[0.8 * a[0] + 0.2 * b[0], 0.8 * a[1] + 0.2 * b[1]], [0.2 * a[0] + 0.8 * b[0], 0.2 * a[1] + 0.8 * b[1]]];
    });
  }
  return [...points, points[0]];
}

/**
 * A ring whose longitudes go on beyond 180 degrees instead of jumping to the other side. world-atlas stitches rings
 * together across the antimeridian, as a globe wants them; on a flat map each jump would be a band around the world.
 * The ring around the South Pole closes along the edge of the map.
 */
function unrolled(ring) {
  let turn = 0;
  const points = ring.map(([x, y], i) => {
    const jump = i > 0 ? x - ring[i - 1][0] : 0;
    if (jump > 180) turn -= 360;
    else if (jump < -180) turn += 360;
    return [x + turn, y];
  });
  const first = points[0];
  const last = points.at(-1);
  if (Math.abs(last[0] - first[0]) < 180) return points;
  const pole = first[1] < 0 ? -90 : 90;
  return [...points, [last[0], pole], [first[0], pole], first];
}

/** A polygon in pieces that each lie between -180 and 180 degrees. */
function cutAtAntimeridian(polygon) {
  const rings = polygon.map(unrolled);
  return [-360, 0, 360].flatMap((shift) => {
    const strip = [[[-180 + shift, -90], [180 + shift, -90], [180 + shift, 90], [-180 + shift, 90], [-180 + shift, -90]]];
    return polygonClipping.intersection(rings, strip)
      .map((piece) => piece.map((ring) => ring.map(([x, y]) => [x - shift, y])));
  });
}

function worldLand() {
  const land = feature(world, world.objects.land);
  const polygons = (land.type === 'FeatureCollection' ? land.features : [land]).flatMap((f) => polygonsOf(f.geometry));
  return polygonClipping.difference(polygons.flatMap(cutAtAntimeridian), boxPolygon);
}

function counties() {
  const inBox = (f) => polygonsOf(f.geometry).flat(2).some(([x, y]) => x > west && x < east && y > south && y < north);
  return feature(us, us.objects.counties).features.filter(inBox);
}

const near = counties();
const nearLand = polygonClipping
  .intersection(polygonClipping.union(...near.map((f) => polygonsOf(f.geometry))), boxPolygon)
  .map((polygon) => polygon.map(soften));
const ids = new Set(near.map((f) => f.id));

// At this scale the counties' outlines leave no room for New York's rivers. But some borders lie in them: drawn in the
// colour of water, as wide as the river in metres, they are the rivers.
const manhattan = '36061', bronx = '36005', queens = '36081', staten = '36085', westchester = '36119', rockland = '36087', bergen = '34003';
function riverWidth(a, b) {
  const is = (...ids) => ids.includes(a) && ids.includes(b) && a !== b;
  const jersey = a.startsWith('34') || b.startsWith('34');
  if (is(manhattan, bronx)) return 220; // Harlem River
  if (is(bronx, queens)) return 900; // East River
  if ((a === staten || b === staten) && jersey) return 400; // Arthur Kill, Kill Van Kull
  if (is(westchester, rockland) || is(westchester, bergen) || is(bronx, bergen)) return 1300; // Hudson
  if (a === manhattan || b === manhattan) return jersey ? 1200 : 650; // Hudson, East River
  return 0;
}
const borders = mesh(us, { type: 'GeometryCollection', geometries: us.objects.counties.geometries.filter((g) => ids.has(g.id)) }, (a, b) => a !== b && riverWidth(a.id, b.id) === 0);
const widths = [220, 900, 400, 1300, 1200, 650];
const rivers = widths.map((width) => ({
  type: 'Feature',
  properties: { kind: 'river', width },
  geometry: mesh(us, { type: 'GeometryCollection', geometries: us.objects.counties.geometries.filter((g) => ids.has(g.id)) }, (a, b) => a !== b && riverWidth(a.id, b.id) === width),
})).filter((f) => f.geometry.coordinates.length > 0);

/** The middle of a county's largest ring, by area. */
function middle(f) {
  let best = { area: 0 };
  for (const [ring] of polygonsOf(f.geometry)) {
    let area = 0, x = 0, y = 0;
    for (let i = 0; i + 1 < ring.length; i++) {
      const cross = ring[i][0] * ring[i + 1][1] - ring[i + 1][0] * ring[i][1];
      area += cross;
      x += (ring[i][0] + ring[i + 1][0]) * cross;
      y += (ring[i][1] + ring[i + 1][1]) * cross;
    }
    if (Math.abs(area) > Math.abs(best.area)) best = { area, point: [x / (3 * area), y / (3 * area)] };
  }
  return best.point;
}

const collection = {
  type: 'FeatureCollection',
  features: [
    { type: 'Feature', properties: { kind: 'land' }, geometry: { type: 'MultiPolygon', coordinates: round(2)(worldLand()) } },
    { type: 'Feature', properties: { kind: 'land' }, geometry: { type: 'MultiPolygon', coordinates: round(4)(nearLand) } },
    { type: 'Feature', properties: { kind: 'border' }, geometry: { ...borders, coordinates: round(3)(borders.coordinates) } },
    ...rivers.map((f) => ({ ...f, geometry: { ...f.geometry, coordinates: round(4)(f.geometry.coordinates) } })),
    ...near
      .filter((f) => { const [x, y] = middle(f); return x > west && x < east && y > south && y < north; })
      .map((f) => ({
        type: 'Feature',
        properties: { kind: 'name', name: known[f.id] ?? f.properties.name, city: f.id in known },
        geometry: { type: 'Point', coordinates: round(3)(middle(f)) },
      })),
  ],
};
writeFileSync(join(import.meta.dirname, '../src/lib/map/data/land.json'), JSON.stringify(collection) + '\n');
