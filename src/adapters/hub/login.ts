import { AixclError } from '../../errors.ts';

export interface HubLogin {
  /** `HF_ENDPOINT`, else huggingface.co; ends in a slash. */
  readonly endpoint: URL;
  /** From `HF_TOKEN`. For that host alone; a function, so that the token gets into no address, message or record. */
  readonly authorization: (() => string) | undefined;
}

export function hubLogin(env: Readonly<Record<string, string | undefined>>): HubLogin {
  const token = env.HF_TOKEN?.trim();
  return {
    endpoint: endpointOf(env.HF_ENDPOINT),
    authorization: token ? () => `Bearer ${token}` : undefined,
  };
}

function endpointOf(text: string | undefined): URL {
  if (!text) return new URL('https://huggingface.co/');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new AixclError('usage', 'HF_ENDPOINT is no http address', {
      hint: 'HF_ENDPOINT=https://huggingface.co',
    });
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
