// Series of numbers that ascend, and what lies between two of them.

/** The index of the last of the ascending `values` that is not above `value`, or -1. */
export function lastNotAfter(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The numbers that lie `share` of the way from one list to another. */
export function between(from, to, share) {
  return from.map((value, i) => value + share * (to[i] - value));
}

export function median(values) {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[ordered.length >> 1];
}
