import type { PageModel } from '../../api.ts';
import { CommandList } from '../parts/command-list.tsx';
import { Time } from '../parts/time.tsx';

/** What the row has no room for. */
export function ModelDetails({ model }: { readonly model: PageModel }) {
  const { files, digest, fileDigests, modified, source, notActivatable, notRemovable, commands } = model;
  return (
    <>
      <dl>
        <dt>Changed</dt>
        <dd>
          <Time at={modified} />
        </dd>
        {digest !== null && (
          <>
            <dt>sha256</dt>
            <dd>
              <code>{digest.replace(/^sha256:/, '')}</code>
            </dd>
          </>
        )}
        {source !== null && (
          <>
            <dt>Source</dt>
            <dd>{source}</dd>
          </>
        )}
        {files.length > 0 && (
          <>
            <dt>{files.length === 1 ? 'File' : 'Files'}</dt>
            {files.map((file, index) => {
              const sha256 = files.length > 1 && fileDigests[index]?.replace(/^sha256:/, '');
              return (
                <dd key={file}>
                  {file}
                  {sha256 && (
                    <>
                      , sha256 <code>{sha256}</code>
                    </>
                  )}
                </dd>
              );
            })}
          </>
        )}
        {notActivatable !== null && (
          <>
            <dt>Can't be activated here</dt>
            <dd>{notActivatable}</dd>
          </>
        )}
        {notRemovable !== null && (
          <>
            <dt>Can't be deleted here</dt>
            <dd>{notRemovable}</dd>
          </>
        )}
      </dl>
      <CommandList commands={commands} />
    </>
  );
}
