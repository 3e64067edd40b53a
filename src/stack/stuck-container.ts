import { AixclError } from '../errors.ts';

/**
 * A container that its engine was about to start when it was killed. The engine's containerd holds on to what was made of it, so that every
 * further start fails, until the engine is restarted in good order. A new container under the same name starts.
 */
export class StuckContainer extends AixclError {
  constructor(doing: string, cause: unknown) {
    super('unexpected', `${doing}: the engine was killed while it started it, and can't start it again`, {
      hint: 'aixcl stack start, which makes it anew; or restart the engine',
      cause,
    });
  }
}
