import { oneLine } from './plain.ts';
import { bytes, duration } from './quantity.ts';

export interface TaskState {
  readonly label: string;
  /** `performance.now()` at its start. */
  readonly began: number;
  /** Bytes. */
  done: number;
  total: number | undefined;
  text: string | undefined;
}

const barWidth = 24;

/** One line about a piece of work; with a total: bar, bytes, rate and time left. */
export function describeTask(
  state: TaskState,
  phase: 'start' | 'update' | 'succeed' | 'fail',
  now: number,
): string {
  const elapsed = now - state.began;
  const [label, text] = [oneLine(state.label), state.text && oneLine(state.text)];
  const mark = phase === 'succeed' ? '✔ ' : phase === 'fail' ? '✖ ' : '';
  if (phase === 'succeed' || phase === 'fail') {
    const size = state.total === undefined || phase === 'fail' ? [] : [bytes(state.total)];
    return [`${mark}${label}`, text, ...size, duration(elapsed)].filter(Boolean).join('  ');
  }
  if (!state.total) return [label, text, duration(elapsed)].filter(Boolean).join('  ');
  const part = Math.min(1, state.done / state.total);
  const filled = Math.round(part * barWidth);
  const rate = elapsed > 0 ? (state.done / elapsed) * 1000 : 0;
  const left = rate > 0 ? duration(((state.total - state.done) / rate) * 1000) : '?';
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
  const amounts = `${bytes(state.done)} / ${bytes(state.total)}  ${bytes(rate)}/s  ${left} left`;
  return [label, bar, `${Math.floor(part * 100)} %`, amounts, text].filter(Boolean).join('  ');
}
