interface Asked {
  readonly yes: string;
  readonly no?: string;
  /** `danger`: something goes. */
  readonly tone: 'primary' | 'danger';
  readonly disabled?: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** The two ends of a question. Where something goes, the one that keeps it has the focus. */
export function Answers({ yes, no = 'Cancel', tone, disabled = false, onYes, onNo }: Asked) {
  return (
    <div class="buttons">
      <button type="button" class={tone} disabled={disabled} onClick={onYes}>
        {yes}
      </button>
      <button type="button" class="quiet" autofocus={tone === 'danger'} onClick={onNo}>
        {no}
      </button>
    </div>
  );
}
