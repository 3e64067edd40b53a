import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

interface Asked {
  readonly title: string;
  readonly children: ComponentChildren;
  /** Escape, or the button that says no. */
  readonly onClose: () => void;
}

/** A question over the page. The focus goes back to who opened it, or to the page where that is gone. */
export function Dialog({ title, children, onClose }: Asked) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Not after the next paint: by then what opened it may be gone, and after the end the focus would stand elsewhere for a moment.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      shown?.close();
      const back =
        opener instanceof HTMLElement && opener.isConnected ? opener : document.querySelector('main');
      (back as HTMLElement | null)?.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
