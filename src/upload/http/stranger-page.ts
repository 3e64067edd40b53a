import type { Problem } from '../api.ts';

/** What a browser without a session is shown: how to get one. */
export function strangerPage({ detail, hint }: Problem): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>aixcl</title>
<h1>aixcl</h1>
<p>${detail}.</p>
<p>Type <code>${hint}</code> on the machine where it runs: it prints an address that opens this page.</p>
<p><a href="/">Try again</a></p>
</html>
`;
}
