import type { FileHandle } from 'node:fs/promises';

const pageBytes = 4096;
const samples = 64;
const blockBytes = 512;

/**
 * Cheap signs that a large file holds what was written into it: its blocks are there, and pages taken evenly over it are not all zero. A
 * power cut or a broken download leaves files of the right size that are neither. False calls for a hash; true proves nothing.
 */
export async function looksWhole(handle: FileHandle, size: number): Promise<boolean> {
  const { size: found, blocks } = await handle.stat();
  if (found !== size) return false;
  // Weights do not compress, so even a file system that compresses gives them nearly all their blocks.
  if (blocks * blockBytes < size * 0.9) return false;
  let zero = 0;
  const pages = Math.max(1, Math.min(samples, Math.floor(size / pageBytes)));
  const buffer = Buffer.alloc(pageBytes);
  for (let sample = 0; sample < pages; sample += 1) {
    const at = pages === 1 ? 0 : Math.floor((sample * (size - pageBytes)) / (pages - 1));
    const { bytesRead } = await handle.read(buffer, 0, pageBytes, at);
    if (bytesRead < Math.min(pageBytes, size)) return false;
    if (buffer.subarray(0, bytesRead).every((byte) => byte === 0)) zero += 1;
  }
  return zero <= pages / 16;
}
