// Pictures of a display: the frame buffer that Xvfb keeps in a file (X window dump, XWDFile.h), and PNG (RFC 2083).

import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';

/**
 * Red, green and blue octets of every pixel, row by row.
 * @typedef {{ width: number, height: number, rgb: Buffer }} Picture
 */

/** The part of a display that is not black, which is its windows; undefined if there is none. @param {string} file  an X window dump @returns {Picture | undefined} */
export function windowsOf(file) {
  const dump = readFileSync(file);
  const [header, version, format, , width, height, , order, , , , bits, stride, , red, green, blue, , , colours] =
    Array.from({ length: 25 }, (_, i) => dump.readUInt32BE(4 * i));
  const known = version === 7 && format === 2 && order === 0 && bits === 32
    && red === 0xff0000 && green === 0xff00 && blue === 0xff;
  if (!known) throw new Error(`${file} is no X window dump of 32-bit little-endian pixels`);
  const start = header + colours * 12;
  const rows = Array.from({ length: height }, (_, y) => dump.subarray(start + y * stride, start + y * stride + width * 4));
  const black = Buffer.alloc(width * 4);
  const seen = rows.filter((row) => !row.equals(black));
  if (seen.length === 0) return undefined;
  let [left, right] = [width, 0];
  for (const row of seen) {
    let [first, last] = [0, row.length - 1];
    while (row[first] === 0) first++;
    while (row[last] === 0) last--;
    [left, right] = [Math.min(left, first >> 2), Math.max(right, (last >> 2) + 1)];
  }
  const [top, bottom] = [rows.indexOf(seen[0]), rows.lastIndexOf(seen[seen.length - 1]) + 1];
  return rgbOf(rows.slice(top, bottom).map((row) => row.subarray(left * 4, right * 4)));
}

/** @param {Buffer[]} rows  blue, green, red and nothing of every pixel @returns {Picture} */
function rgbOf(rows) {
  const pixels = Buffer.concat(rows);
  const rgb = Buffer.alloc((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4) {
    rgb[to++] = pixels[from + 2];
    rgb[to++] = pixels[from + 1];
    rgb[to++] = pixels[from];
  }
  return { width: rows[0].length / 4, height: rows.length, rgb };
}

/** How many pixels are of another colour than the picture's first one, which is a window's ground. @param {Picture} picture */
export function drawn({ rgb }) {
  let count = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    if (rgb[i] !== rgb[0] || rgb[i + 1] !== rgb[1] || rgb[i + 2] !== rgb[2]) count++;
  }
  return count;
}

/** @param {Picture} picture */
export function png({ width, height, rgb }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits each of red, green, blue
  const rows = Array.from({ length: height }, (_, y) => [Buffer.of(0), rgb.subarray(y * width * 3, (y + 1) * width * 3)]);
  return Buffer.concat([
    Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** node:zlib has it only since Node 22. @param {Buffer} data */
function crc32(data) {
  let crc = ~0;
  for (const octet of data) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
