import { z } from 'zod';
import type { FileIdentity } from '../../vault/evidence.ts';

/** Of a `FileIdentity` that was kept as JSON. */
export const fileIdentitySchema: z.ZodType<FileIdentity> = z.object({
  device: z.string(),
  inode: z.string(),
  size: z.number(),
  mtime: z.string(),
  ctime: z.string(),
});
