import type { Progress } from '../../wiring/surroundings.ts';
import type { JobReport } from '../jobs.ts';

/** Shows work in the job that has it done. */
export function progressIn(report: JobReport): Progress {
  return {
    start(label, total = 0) {
      let of = total;
      report.detail(label);
      report.progress(0, of);
      return {
        update({ done, total: known, text }) {
          of = known ?? of;
          if (text !== undefined) report.detail(`${label}: ${text}`);
          if (done !== undefined) report.progress(done, of);
        },
        succeed: () => report.progress(of, of),
        fail() {},
      };
    },
  };
}
