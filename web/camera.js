// Where a point of the wall is in a picture, as far as the camera's movement is known.

/** `frames[i]`: 3 × 3 homography from frame i to the reference frame, both 0 to 1, or null. */
export class Camera {
  constructor(frames) {
    this.frames = frames ?? [];
    this.inverses = new Map();
  }

  /** A point of the reference frame as frame `i` sees it; x and y from 0 to 1. Unmoved where nothing is known. */
  seen(point, i) {
    const matrix = this.frames[i]?.flat();
    if (!matrix) return point;
    if (!this.inverses.has(i)) this.inverses.set(i, inverse(matrix));
    return apply(this.inverses.get(i), point);
  }

  /** A point of frame `i` where frame `j` sees that spot of the wall. */
  carried(point, i, j) {
    const matrix = this.frames[i]?.flat();
    return matrix && this.frames[j] ? this.seen(apply(matrix, point), j) : point;
  }
}

function apply([a, b, c, d, e, f, g, h, k], [x, y]) {
  const depth = g * x + h * y + k;
  return [(a * x + b * y + c) / depth, (d * x + e * y + f) / depth];
}

// The adjugate: a homography's scale does not matter.
function inverse([a, b, c, d, e, f, g, h, k]) {
  return [
    e * k - f * h, c * h - b * k, b * f - c * e,
    f * g - d * k, a * k - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ];
}
