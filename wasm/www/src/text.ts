// Formats numbers and facts for people.
import type { Info } from 'cogsmith';

export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value).toLocaleString() : value.toFixed(1)} ${units[unit]}`;
}

export function count(value: number, noun: string): string {
  return `${value.toLocaleString()} ${noun}${value === 1 ? '' : 's'}`;
}

export function pixels(width: number, height: number): string {
  return `${width.toLocaleString()} × ${height.toLocaleString()}`;
}

/** Returns the georeferencing in one line. */
export function crs(info: Info): string {
  const named = info.crs ?? (info.crsKind === null ? null : `${info.crsKind}, no code`);
  const name = info.crsName === null ? '' : ` (${info.crsName})`;
  const place = info.bounds === null ? (info.controlPoints > 0 ? `, ${count(info.controlPoints, 'control point')}` : ', no position') : '';
  return named === null ? `no CRS${place}` : `${named}${name}${place}`;
}
