import { render } from 'preact';
import type { PageState } from '../api.ts';
import { activate } from './actions.ts';
import { App } from './app.tsx';
import './page.css';
import { keepFocus } from './parts/keep-focus.ts';
import type { Sender } from './sending/sender.ts';
import { Senders } from './sending/senders.ts';
import { Connection } from './server/connection.ts';
import { Notices } from './server/notices.tsx';
import { Work } from './server/work.ts';
import { type Tools, ToolsContext } from './tools.ts';

const connection = new Connection();
const notices = new Notices();
const work = new Work(connection, notices);
const senders = new Senders(connection, arrived);
const tools: Tools = { connection, notices, work, senders };

/** Of a model of several files the last one that is settled says it. */
function arrived({ metadata }: Sender, { models }: PageState): void {
  const name = metadata.model ?? metadata.filename;
  const model = models.find((each) => each.name === name && each.runtime === 'llama-server');
  if (!model) return;
  const digest = model.digest === null ? '' : ` ${model.digest.replace(':', ' ')}`;
  const run = () => activate(tools, name);
  const action = model.notActivatable === null && !model.active ? { label: 'Activate', run } : null;
  notices.good(name, `${name} is here and checked.${digest}`, action);
}

const page = document.getElementById('page')!;
keepFocus(page);
render(
  <ToolsContext.Provider value={tools}>
    <App />
  </ToolsContext.Provider>,
  page,
);
connection.open();
