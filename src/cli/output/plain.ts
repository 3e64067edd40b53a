/** Text that others wrote, for a terminal: line ends stay; of other control characters, and of those that turn the direction around, none gets there. */
export function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, ' ');
}

/** The same on one line. */
export function oneLine(text: string): string {
  return plain(text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '));
}
