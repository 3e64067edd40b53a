import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { type Door, sessionSeconds } from '../../adapters/page-door/door.ts';
import type { Problem } from '../api.ts';
import type { Desk, Receiving } from '../desk.ts';
import { problemOf } from '../problem.ts';
import { foreign, howToEnter, refusalOf } from './admission.ts';
import { type Allowance, Allowances } from './allowance.ts';
import { safetyHeaders, send, sendProblem } from './answer.ts';
import { type Assets, sendAsset } from './assets.ts';
import type { Clock } from './bucket.ts';
import { sessionCookie, sessionCookies } from './cookie.ts';
import { EventStreams } from './event-streams.ts';
import { refusal } from './refusals.ts';
import { logAnswer, type RequestLog } from './request-log.ts';
import { routes } from './routes.ts';
import { strangerPage } from './stranger-page.ts';
import { type Target, targetOf } from './target.ts';
import { isWithin, letBodyEnd } from './unread-body.ts';

/** What stands behind the page's address. */
export interface PageParts {
  readonly desk: Desk;
  readonly receiving: Receiving;
  readonly door: Door;
  readonly assets: Assets;
  /** As `hostList` reads them. */
  readonly allowedHosts: readonly string[];
  readonly log: RequestLog;
  /** By which requests are too many. */
  readonly clock?: Clock;
}

/** A request body that is no upload, in bytes: no route wants one. */
const longestBody = 64 * 1024;
const watchersAtOnce = 64;
const uploadMethods = ['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'];
const methodOverride = 'x-http-method-override';

/** Answers every request: lets it in or not, then has it answered by the page's files, the routes, or whoever receives uploads. */
export class Listener {
  readonly #parts: PageParts;
  readonly #streams: EventStreams;
  readonly #allowances: Allowances;
  #closing = false;
  readonly #api: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.#allowances = new Allowances(parts.clock);
    this.#streams = new EventStreams(parts.desk);
    const api = routes(parts.desk, parts.receiving, (error) => this.#failed(error));
    this.#api = getRequestListener((request, env) => api.fetch(request, env as HttpBindings), {
      // The uploads' library makes answers of Node's own kind.
      overrideGlobalObjects: false,
      autoCleanupIncoming: false,
    });
  }

  /** From now on everybody is asked to come back. */
  close(): void {
    this.#closing = true;
    this.#streams.end();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    logAnswer(request, response, this.#parts.log);
    for (const [name, value] of Object.entries(safetyHeaders)) response.setHeader(name, value);
    letBodyEnd(request, response);
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#failed(error);
      if (response.headersSent) response.destroy();
      else sendProblem(response, problemOf(error));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#closing) return sendProblem(response, refusal(503, 'The page is just being stopped'));
    if (hasTwoHosts(request))
      return sendProblem(response, refusal(400, 'A request has one Host, and no more'));
    const target = targetOf(request.url);
    const method = request.method ?? '';
    if (target?.path === '/health' && (method === 'GET' || method === 'HEAD')) {
      response.writeHead(204).end();
      return;
    }
    const session = await this.#sessionOf(request);
    const asked = askedBy(request, session !== undefined);
    const token = target?.path === '/' && method === 'GET' ? target.query.get('token') : null;
    if (token !== null) {
      const refused = foreign(asked, this.#parts.allowedHosts);
      if (refused) return sendProblem(response, refused);
      return this.#enter(token, session !== undefined, request, response);
    }
    const refused = refusalOf(asked, this.#parts.allowedHosts);
    if (refused || session === undefined) {
      return this.#refuse(refused ?? refusal(401, '', null), request, response);
    }
    if (!target) return sendProblem(response, refusal(400, 'This is no address that the page has'));
    const allowance = this.#allowances.of(session);
    const wait = allowance.request();
    if (wait > 0) return sendTooMany(response, 'This browser asks for too much at once', wait);
    await this.#serve(target, allowance, request, response);
  }

  async #serve(
    target: Target,
    allowance: Allowance,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const [first] = target.segments;
    if (first === 'uploads') return this.#receive(allowance, request, response);
    if (!(await isWithin(request, response, longestBody))) {
      return sendProblem(response, refusal(413, 'A body of this size belongs into an upload'));
    }
    if (target.path === '/api/events' && isRead(request)) return this.#watch(request, response);
    if (first === 'api') return this.#api(request, response);
    const asset = this.#parts.assets.get(target.path);
    if (!asset) return sendProblem(response, refusal(404, 'There is no such page here'));
    if (!isRead(request)) {
      return sendProblem(response, refusal(405, 'A page is read, and nothing else'), { Allow: 'GET, HEAD' });
    }
    sendAsset(asset, request, response);
  }

  async #receive(allowance: Allowance, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    if (!uploadMethods.includes(method) || request.headers[methodOverride] !== undefined) {
      return sendProblem(response, refusal(405, 'Uploads are made by the tus protocol'), {
        Allow: uploadMethods.join(', '),
      });
    }
    if (method === 'POST' || method === 'PATCH') {
      if (!allowance.beginUpload()) {
        return sendTooMany(response, 'This browser uploads too many files at once', 1);
      }
      response.once('close', () => allowance.endUpload());
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    await this.#parts.receiving.handle(request, response);
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    if (this.#streams.size < watchersAtOnce) this.#streams.add(request, response);
    else sendTooMany(response, 'Too many windows watch this page', 30);
  }

  /** One who is known already gets in with an old address, too. */
  async #enter(
    token: string,
    known: boolean,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const secret = await this.#parts.door.enter(token);
    if (secret !== undefined) response.setHeader('Set-Cookie', sessionCookie(secret, sessionSeconds));
    if (secret !== undefined || known) {
      response.writeHead(303, { Location: '/', 'Content-Length': 0 }).end();
      return;
    }
    const wait = this.#allowances.wrongTokens.take();
    if (wait > 0) return sendTooMany(response, 'Too many wrong tokens came', wait);
    const refused = refusal(401, 'This address was used before, or is older than an hour', howToEnter);
    if (wantsPage(request)) sendStrangerPage(response, refused);
    else sendProblem(response, refused);
  }

  #refuse(refused: Problem, request: IncomingMessage, response: ServerResponse): void {
    const wait = this.#allowances.strangers.take();
    if (wait > 0) sendTooMany(response, 'Too many requests came that were not let in', wait);
    else if (refused.status === 401 && wantsPage(request)) {
      // A browser keeps its cookie back where another site's link led here, and brings it where this page leads to itself.
      if (isFromElsewhere(request)) {
        response.setHeader('Refresh', '0; url=/');
      }
      sendStrangerPage(response, refused);
    } else sendProblem(response, refused);
  }

  async #sessionOf(request: IncomingMessage): Promise<string | undefined> {
    for (const secret of sessionCookies(request.headers.cookie)) {
      const session = await this.#parts.door.session(secret);
      if (session !== undefined) return session;
    }
    return undefined;
  }

  /** What was refused is an answer like any other; what went wrong belongs into the log. */
  #failed(error: unknown): void {
    if (problemOf(error).status >= 500) this.#parts.log.problem(error);
  }
}

function askedBy({ method, headers }: IncomingMessage, session: boolean) {
  const header = (name: string) => headers[name]?.toString();
  return {
    method: method ?? '',
    host: headers.host,
    origin: header('origin'),
    fetchSite: header('sec-fetch-site'),
    fetchMode: header('sec-fetch-mode'),
    fetchDest: header('sec-fetch-dest'),
    session,
  };
}

/** Node keeps the first alone, and whoever stands before this server may go by the second. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length > 1;
}

/** A browser does, where somebody is to look at the answer. */
function wantsPage(request: IncomingMessage): boolean {
  return isRead(request) && /\btext\/html\b/.test(request.headers.accept ?? '');
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isFromElsewhere({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site';
}

function sendTooMany(response: ServerResponse, detail: string, seconds: number): void {
  sendProblem(response, refusal(429, detail, `Again in ${seconds} s`), { 'Retry-After': String(seconds) });
}

function sendStrangerPage(response: ServerResponse, refused: Problem): void {
  send(response, 401, 'text/html; charset=utf-8', strangerPage(refused));
}
