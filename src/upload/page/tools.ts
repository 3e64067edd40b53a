import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Senders } from './sending/senders.ts';
import type { Connection } from './server/connection.ts';
import type { Notices } from './server/notices.tsx';
import type { Work } from './server/work.ts';

/** What every part of the page works with; there is one of each. */
export interface Tools {
  readonly connection: Connection;
  readonly notices: Notices;
  readonly work: Work;
  readonly senders: Senders;
}

export const ToolsContext = createContext<Tools | null>(null);

export function useTools(): Tools {
  return useContext(ToolsContext)!;
}
