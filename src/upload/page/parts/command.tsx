import { useRef, useState } from 'preact/hooks';

/** Text for a terminal, with a button that takes it along. */
export function Command({ text }: { readonly text: string }) {
  const code = useRef<HTMLElement>(null);
  const [said, say] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say('Copied');
    } catch {
      // Browsers give the clipboard to loopback and https alone.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      say('Selected');
    }
    setTimeout(() => say(''), 3000);
  };
  return (
    <span class="command">
      <code ref={code}>{text}</code>
      <button type="button" class="small" aria-label={`Copy ${text}`} onClick={copy}>
        Copy
      </button>
      <span class="said" role="status">
        {said}
      </span>
    </span>
  );
}
