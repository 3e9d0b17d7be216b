/** A fenced block of a Markdown page: ```language name. */
export interface Block {
  readonly language: string;
  readonly name: string;
  readonly text: string;
}

const FENCED = /^```(\S*)[ ]?(\S*)\n(.*?)^```$/gms;

/** Every fenced block of a page, in order. A block without a name is called by its number. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(FENCED)].map(([, language = '', name = '', text = ''], i) => ({
    language,
    name: name === '' ? `#${i + 1}` : name,
    text,
  }));
}
