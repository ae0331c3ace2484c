let known: boolean | null = null;

/** Whether this device can draw the map at all. It is tried once; the answer stays. */
export function canDraw(): boolean {
  known ??= tryToDraw();
  return known;
}

function tryToDraw(): boolean {
  try {
    return document.createElement('canvas').getContext('webgl2') !== null;
  } catch {
    return false;
  }
}
