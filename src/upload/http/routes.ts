import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Problem } from '../api.ts';
import type { Desk, Receiving } from '../desk.ts';
import { problemOf } from '../problem.ts';
import { refusal } from './refusals.ts';

/** The routes of api.ts below `/api` that answer with JSON. `failed`: told what was thrown. */
export function routes(desk: Desk, receiving: Receiving, failed: (error: unknown) => void): Hono {
  const app = new Hono();
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => {
        const headers = { Allow: [...methods, 'OPTIONS'].join(', ') };
        if (context.req.method === 'OPTIONS') return context.body(null, 204, headers);
        return problem(context, refusal(405, `${context.req.method} is not done to this`), headers);
      },
    }),
  );
  app.notFound((context) => problem(context, refusal(404, `There is no ${context.req.path} here`)));
  app.onError((error, context) => {
    failed(error);
    return problem(context, problemOf(error));
  });

  app.get('/api/state', async (context) => context.json(await desk.state()));
  app.get('/api/jobs/:id', (context) => context.json(desk.job(context.req.param('id'))));

  app.delete('/api/models/:name', async (context) =>
    context.json(await desk.remove(context.req.param('name')), 202),
  );
  app.get('/api/models/:name/removal', async (context) =>
    context.json(await desk.removal(context.req.param('name'))),
  );
  app.post('/api/models/:name/activate', async (context) =>
    context.json(await desk.activate(context.req.param('name')), 202),
  );

  app.get('/api/backups/:id/restoration', async (context) =>
    context.json(await desk.restoration(context.req.param('id'))),
  );
  app.post('/api/backups/:id/restore', async (context) =>
    context.json(await desk.restore(context.req.param('id')), 202),
  );
  app.post('/api/backups/:id/verify', async (context) =>
    context.json(await desk.verify(context.req.param('id')), 202),
  );
  app.post('/api/backups/:id/undo', async (context) =>
    context.json(await desk.undo(context.req.param('id')), 202),
  );

  app.post('/api/uploads/:id/replace', async (context) => {
    await receiving.replace(context.req.param('id'));
    return context.body(null, 202);
  });
  app.post('/api/uploads/:id/check', async (context) => {
    await receiving.check(context.req.param('id'));
    return context.body(null, 202);
  });
  return app;
}

function problem(context: Context, body: Problem, headers: Record<string, string> = {}): Response {
  return context.json(body, body.status as ContentfulStatusCode, {
    'Content-Type': 'application/problem+json',
    ...headers,
  });
}
