interface Head {
  /** An empty one is that of the buttons. */
  readonly titles: readonly string[];
  /** Those of them that are set to the right. */
  readonly numbers: readonly string[];
}

export function TableHead({ titles, numbers }: Head) {
  return (
    <thead>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col" class={numbers.includes(title) ? 'number' : undefined}>
            {title || <span class="unseen">Actions</span>}
          </th>
        ))}
      </tr>
    </thead>
  );
}
