import * as maplibre from 'maplibre-gl';
// Without this line the built map is dead: bundlers cannot see where MapLibre finds its worker.
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';

maplibre.setWorkerUrl(workerUrl);
// The worker starts while the page still finds out what to draw.
maplibre.prewarm();

export { maplibre };
