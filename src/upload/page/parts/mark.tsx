/** Each tone has a shape of its own, so that colour says nothing alone. */
const shapes = {
  good: <path d="m4 8.4 2.6 2.6L12 5.4" />,
  busy: <path d="M8 4.2V8l2.6 1.8" />,
  idle: <path d="M5 8h6" />,
  bad: <path d="M8 4.2v4.6m0 2.6v.2" />,
};

export type Tone = keyof typeof shapes;

/** Goes beside words that say the same. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="7" />
      {shapes[tone]}
    </svg>
  );
}
