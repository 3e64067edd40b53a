import { HubApiError, listFiles } from '@huggingface/hub';
import { AixclError } from '../../errors.ts';
import { type Hub, type HubFile, notForEveryone } from '../../models/hub.ts';
import { shownUrl } from '../../models/source.ts';
import { networkReason, Transient } from '../download/request.ts';
import { withRetries } from '../download/retry.ts';
import { hubLogin } from './login.ts';

/** The Hub that `env` names, by its client library. */
export function hubOf(env: Readonly<Record<string, string | undefined>>): Hub {
  const { endpoint, authorization } = hubLogin(env);
  return {
    async files(repo, signal) {
      const found: HubFile[] = [];
      try {
        const entries = listFiles({
          repo: { type: 'model', name: repo },
          recursive: true,
          hubUrl: endpoint.href.replace(/\/$/, ''),
          fetch: patientFetch(endpoint, authorization, signal),
        });
        for await (const { type, path, size, lfs } of entries) {
          if (type === 'file') found.push({ path, size: lfs?.size ?? size, sha256: sha256Of(lfs?.oid) });
        }
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, repo, endpoint, authorization !== undefined);
      }
      return found;
    },
    locate(repo, path) {
      const encoded = path.split('/').map(encodeURIComponent).join('/');
      const url = new URL(`${repo}/resolve/main/${encoded}`, endpoint);
      return { kind: 'http', url, ...(authorization && { authorization }) };
    },
  };
}

const answerLimitMs = 30_000;
/** A connection that was kept open is cut by the Hub as it likes, also under a request that is on its way. */
const attempts = 3;

/** The library sends its token only where it begins with `hf_`, which mirrors do not keep to, and to every page that the Hub names next. */
function patientFetch(
  endpoint: URL,
  authorization: (() => string) | undefined,
  signal: AbortSignal,
): typeof fetch {
  return async (target, init) => {
    const url = new URL(target instanceof Request ? target.url : target);
    const headers = new Headers(init?.headers);
    if (authorization && url.origin === endpoint.origin) headers.set('authorization', authorization());
    const ask = async () => {
      const limit = AbortSignal.timeout(answerLimitMs);
      try {
        return await fetch(url, { ...init, headers, signal: AbortSignal.any([signal, limit]) });
      } catch (error) {
        if (signal.aborted || limit.aborted) throw error;
        throw new Transient(networkReason(error));
      }
    };
    return await withRetries(url, { signal, attempts }, () => 0, ask);
  };
}

function explained(error: unknown, repo: string, endpoint: URL, withToken: boolean): unknown {
  const place = `${shownUrl(endpoint)}${repo}`;
  if (!(error instanceof HubApiError)) {
    return new AixclError('unexpected', `${place} can't be asked: ${networkReason(error)}`, {
      hint: `curl -I ${place}`,
      cause: error,
    });
  }
  const { statusCode } = error;
  // The Hub answers 401 for what does not exist too, to those whom it does not know.
  if (statusCode === 401 && !withToken) {
    return new AixclError('notFound', `There is no ${place}, or it is not for everyone`, {
      hint: 'Check the name in a browser; for what is not public: HF_TOKEN=… aixcl models add …',
    });
  }
  if (statusCode === 401 || statusCode === 403) {
    return notForEveryone(`${place} is not for the owner of this HF_TOKEN (answer ${statusCode})`);
  }
  if (statusCode === 404) {
    return new AixclError('notFound', `There is no ${place}`, { hint: 'Check the name in a browser.' });
  }
  return new AixclError('unexpected', `${place} can't be listed: the Hub answered ${statusCode}`, {
    hint: 'Try again later.',
  });
}

function sha256Of(oid: string | undefined): string | null {
  const hex = oid?.replace(/^sha256:/, '').toLowerCase();
  return hex && /^[0-9a-f]{64}$/.test(hex) ? hex : null;
}
