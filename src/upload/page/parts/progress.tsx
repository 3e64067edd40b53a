import { percent } from './format.ts';

interface Share {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

export function Progress({ label, done, total }: Share) {
  return (
    <progress aria-label={label} max={Math.max(total, 1)} value={done}>
      {percent(done, total)} %
    </progress>
  );
}
