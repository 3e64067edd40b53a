import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../../api.ts';
import { problemOf } from '../server/refusal.ts';
import { useTools } from '../tools.ts';

/** The server's answer to a question that a dialog begins with: nothing yet, the answer, or why there is none. */
export function useAnswer<T>(path: string): { readonly answer: T | null; readonly problem: Problem | null } {
  const { connection } = useTools();
  const [answer, setAnswer] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    connection.request<T>('GET', path).then(setAnswer, (error) => setProblem(problemOf(error)));
  }, [connection, path]);
  return { answer, problem };
}
