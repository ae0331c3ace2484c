import { useMap } from '@vis.gl/react-maplibre';
import { useEffect } from 'react';

import { arrowImage } from './streetsStyle';

const side = 32; // pixels of the picture; half as many on the map

/** Draws the arrow of one-way streets for the map when it asks: the style has no pictures of its own. */
export function OneWayArrows() {
  const { current } = useMap();
  useEffect(() => {
    const map = current?.getMap();
    if (!map) return;
    map.setMissingStyleImageResolver((id) => {
      const picture = id.startsWith(arrowImage) && !map.hasImage(id) ? arrow(id.slice(arrowImage.length)) : null;
      if (picture) map.addImage(id, picture, { pixelRatio: 2 });
    });
    return () => void map.setMissingStyleImageResolver(null);
  }, [current]);
  return null;
}

/** An arrow to the right, which is forwards along a line. */
function arrow(color: string): ImageData | null {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.strokeStyle = color;
  context.lineWidth = 3;
  context.lineCap = context.lineJoin = 'round';
  context.beginPath();
  context.moveTo(5, side / 2);
  context.lineTo(side - 6, side / 2);
  context.moveTo(side - 12, side / 2 - 6);
  context.lineTo(side - 6, side / 2);
  context.lineTo(side - 12, side / 2 + 6);
  context.stroke();
  return context.getImageData(0, 0, side, side);
}
